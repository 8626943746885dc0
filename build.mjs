// The whole front-end build: one bundle for other people's shops, one stylesheet, htmx and letters from their packages.
// Our own pages work with frontend/components as they are, plain ES modules; packed, a page of them weighs half.
import { copyFile, cp, mkdir, rm } from "node:fs/promises"
import { gzipSync } from "node:zlib"
import { readdirSync, readFileSync } from "node:fs"
import * as esbuild from "esbuild"

const out = "frontend/static/build"
const options = {
  bundle: true,
  minify: true,
  legalComments: "none",
  logLevel: "warning",
  target: ["es2022", "chrome110", "firefox115", "safari16.4"],
  // The server owns these addresses; the stylesheet names them as the browser will.
  external: ["/static/*", "*.woff2", "*.svg", "*.webp"],
}
// What pages name; the rest is what these import.
const named = /asset\("(components\/[\w-]+\.js)"\)/g
const templates = readdirSync("frontend/templates", { recursive: true }).filter((name) => name.endsWith(".html"))
const pages = templates.flatMap((name) => [...readFileSync(`frontend/templates/${name}`, "utf8").matchAll(named)])
const components = [...new Set(pages.map(([, path]) => `frontend/${path}`))].sort()
const builds = [
  { ...options, entryPoints: components, format: "esm", splitting: true, outdir: `${out}/components` },
  { ...options, entryPoints: ["frontend/widgets/v1.js"], format: "esm", outfile: `${out}/embed/v1.js`, loader: { ".css": "text" } },
  { ...options, entryPoints: ["frontend/widgets/ref.js"], format: "esm", outfile: `${out}/embed/ref.js` },
  { ...options, entryPoints: ["frontend/static/css/app.css"], outfile: `${out}/app.css` },
]

async function vendor() {
  await mkdir(`${out}/vendor`, { recursive: true })
  await copyFile("node_modules/htmx.org/dist/htmx.min.js", `${out}/vendor/htmx.js`)
}

// What posters are lettered with. Browsers never fetch it: the server reads these files (referrals/kit/lettering.py).
async function letters() {
  const from = "node_modules/@fontsource-variable/noto-sans-sc"
  await cp(`${from}/files`, `${out}/letters`, { recursive: true })
  for (const file of ["unicode.json", "LICENSE"]) await copyFile(`${from}/${file}`, `${out}/letters/${file}`)
}

function report() {
  for (const path of ["embed/v1.js", "embed/ref.js", "app.css", "vendor/htmx.js"]) {
    const bytes = readFileSync(`${out}/${path}`)
    console.log(`${path.padEnd(16)} ${(bytes.length / 1024).toFixed(1)} KB, ${(gzipSync(bytes).length / 1024).toFixed(1)} KB gz`)
  }
}

await vendor()
await letters()
// The names of shared pieces change with their content: those of former builds go.
await rm(`${out}/components`, { recursive: true, force: true })
if (process.argv.includes("--watch")) {
  for (const build of builds) await (await esbuild.context(build)).watch()
  console.log("watching frontend/ ...")
} else {
  await Promise.all(builds.map((build) => esbuild.build(build)))
  report()
}
