// <gv-share store product>: "Share & earn": leads to where a link of one's own is made, and says who earns by it.
import { Widget, el, icon, link } from "./widget.js"

export class Share extends Widget {
  limit = 0

  content({ title, share_url, pays, gift, mark }) {
    const { words } = this
    const button = link("button", share_url, "")
    button.setAttribute("aria-label", `${words.share(pays)}: ${title}`)
    button.append(icon(), el("span", "", null, words.share(pays)))
    return [
      button,
      pays ? el("small", "note", null, el("b", "mark", null, [...new Set([words.ad, mark])].join(" ").trim()), " ", words.says, gift ? ` ${words.gift(gift)}` : "") : "",
    ].filter(Boolean)
  }
}
