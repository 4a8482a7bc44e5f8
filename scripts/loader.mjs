// `node --import ./scripts/loader.mjs file.ts`: runs TypeScript sources for a test, each still a module of its own.
// Every test file is a process, so what loading costs is paid about 230 times. This costs a fifth of what tsx costs,
// which spends most of its time in Node's resolution of the hundreds of files of our packages. Two things save it:
// - compiled sources are kept, each under a name made from its content, so none is ever out of date;
// - packages come as bundles, once `scripts/loader-build.mjs` has made them for the present lock file.
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { pathToFileURL } from 'node:url'
import { bundledPackages, compiled } from './loader-cache.mjs'
import { root } from './setup.mjs'

const home = `${pathToFileURL(root).href}/`
const isOurs = url => url?.startsWith(home) && !url.startsWith('node_modules/', home.length)
const packages = bundledPackages()

registerHooks({
  resolve(specifier, context, next) {
    if (isOurs(context.parentURL)) {
      if (/^\..*\.tsx?$/.test(specifier))
        return { url: new URL(specifier, context.parentURL).href, format: 'module', shortCircuit: true }
      const url = packages.get(specifier)
      if (url) return { url, format: 'module', shortCircuit: true }
    }
    return next(specifier, context)
  },
  load(url, context, next) {
    if (!isOurs(url) || !/\.tsx?$/.test(url)) return next(url, context)
    const source = compiled(url.slice(home.length), readFileSync(new URL(url), 'utf8'))
    return { format: 'module', source, shortCircuit: true }
  },
})

// Compiled pages bring source maps; other sources keep their lines and columns.
process.setSourceMapsEnabled(true)
