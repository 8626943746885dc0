// Grapevine in other people's shops: <gv-rating> and <gv-reviews>. One script tag, any number of elements.
import { Rating } from "./rating.js"
import { Reviews } from "./reviews.js"

for (const [name, element] of Object.entries({ "gv-rating": Rating, "gv-reviews": Reviews })) {
  if (!customElements.get(name)) customElements.define(name, element)
}
