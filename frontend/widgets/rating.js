// <gv-rating store product>: stars and the number of reviews, on one line.
import { Widget, el, link, stars } from "./widget.js"

export class Rating extends Widget {
  limit = 0

  content({ rating, count, url }) {
    const { words } = this
    if (!count) return [link("more", url, words.unreviewed)]
    return [
      stars(rating, words.of5(rating)),
      el("b", "score", { "aria-hidden": "true" }, words.figure(rating)),
      link("count", `${url}#reviews`, words.reviews(count)),
    ]
  }
}
