// What every page carries: the small elements of the frame and of the shared parts.
import "./theme-toggle.js"
import "./copy-button.js"
import "./relative-time.js"
import "./character-count.js"
import "./draft-keeper.js"
import "./confirm-dialog.js"
import "./menu-closer.js"
import "./manners.js"
