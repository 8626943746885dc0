// <gv-earn store token>: what the shop's signed-in customer earns from this shop, and the way to the whole account.
import { Widget, el, home, link, read } from "./widget.js"

export class Earn extends Widget {
  // As plain text the browser need not ask first, and the token stands in no address.
  ask() {
    return read(`${home}/embed/v1/earn/${encodeURIComponent(this.getAttribute("store"))}`, { method: "POST", body: this.getAttribute("token") || "" })
  }

  content({ is_member, pays, gift, mark, earn_url, people, orders, sums }) {
    const { words } = this
    const note = el("small", "note", null, el("b", "mark", null, [...new Set([words.ad, mark])].join(" ").trim()), " ", words.says, gift ? ` ${words.gift(gift)}` : "")
    if (!is_member) return [link("button", earn_url, words.join(pays)), note]
    return [
      el("dl", "figures", null,
        ...sums.flatMap(({ available_text, pending_text }) => [figure(words.available, available_text), figure(words.pending, pending_text)]),
        figure(words.people, `${people}`),
        figure(words.orders, `${orders}`)),
      link("button", earn_url, words.account),
      note,
    ]
  }
}

function figure(label, value) {
  return el("div", "figure", null, el("dt", "label", null, label), el("dd", "value", null, value))
}
