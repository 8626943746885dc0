// <gv-reviews store product limit>: the score, the histogram and the most helpful reviews with their evidence.
import { Widget, el, link, stars } from "./widget.js"

export class Reviews extends Widget {
  get limit() { return Math.min(Math.max(parseInt(this.getAttribute("limit")) || 3, 1), 20) }

  content(product) {
    const { words } = this
    if (!product.count) return [el("p", "empty", null, words.unreviewed, " ", link("more", product.write_url, words.write))]
    return [
      el("div", "summary", null, this.#score(product), this.#histogram(product)),
      el("div", "list", null, ...product.reviews.map((review) => this.#review(review))),
      el("p", "links", null, link("more", `${product.url}#reviews`, words.all(product.count)), link("more", product.write_url, words.write)),
    ]
  }

  #score({ rating, count, hidden, log_url }) {
    const { words } = this
    return el("div", "total", null,
      el("b", "score", { "aria-hidden": "true" }, words.figure(rating)),
      stars(rating, words.of5(rating)),
      el("p", "count", null, hidden ? words.reviews(count) : words.published(count),
        hidden ? el("span", "", null, ` · ${words.hidden(hidden)} `, link("more", log_url, words.why)) : ""))
  }

  #histogram({ histogram, count }) {
    const { words } = this
    return el("div", "histogram", { role: "list" }, ...[5, 4, 3, 2, 1].map((n) => {
      const bar = el("i", "bar", { "aria-hidden": "true" })
      bar.style.setProperty("--of", `${(histogram[n] / count) * 100}%`)
      return el("div", "", { role: "listitem", "aria-label": words.row(n, histogram[n]) }, `${n}`, bar, `${histogram[n]}`)
    }))
  }

  #review({ rating, title, text, lang, author, evidence, days, earns, helpful, created_at, url, is_cut, reply }) {
    const { words } = this
    const date = el("time", "date", { datetime: created_at }, words.date(created_at))
    return el("article", "review", null,
      el("div", "head", null,
        stars(rating, words.of5(rating)),
        title ? el("b", "title", { lang }, title) : ""),
      el("div", "by", null,
        author || words.customer, " · ", date,
        words[evidence] ? el("span", `chip ${evidence}`, null, words[evidence](days)) : "",
        earns ? el("span", "chip earns", null, words.earns) : ""),
      el("p", "text", { lang }, text, " ", is_cut ? link("more", url, words.on) : ""),
      reply ? el("p", "reply", null, el("b", "", null, words.reply), " ", reply) : "",
      helpful ? el("div", "helpful", null, words.helpful(helpful)) : "")
  }
}
