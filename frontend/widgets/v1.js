// Grapevine in other people's shops: <gv-rating>, <gv-reviews>, <gv-share>, <gv-earn>. One script tag, any number of elements.
import { Earn } from "./earn.js"
import { Rating } from "./rating.js"
import { Reviews } from "./reviews.js"
import { Share } from "./share.js"

for (const [name, element] of Object.entries({ "gv-rating": Rating, "gv-reviews": Reviews, "gv-share": Share, "gv-earn": Earn })) {
  if (!customElements.get(name)) customElements.define(name, element)
}
