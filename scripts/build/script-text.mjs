// What the build changes in the text of bundled scripts, so that Node loads them with less work.
import { mkdirSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname } from 'node:path'
import { parse } from 'acorn'

/**
 * Has the bundle require Node's own modules. Importing one loads all that it ever offers: `node:http` brings the whole of
 * `fetch`, which is a twentieth of the runtime's start.
 */
export const nodeByRequire = afterBuild(byRequire)

/** Changes the text of each script that a build makes. */
export function afterBuild(change) {
  return {
    name: 'after-build',
    setup(build) {
      build.initialOptions.write = false
      build.onEnd(({ outputFiles = [] }) => {
        for (const { path, contents, text } of outputFiles) {
          mkdirSync(dirname(path), { recursive: true })
          writeFileSync(path, /\.c?js$/.test(path) ? change(text) : contents)
        }
      })
    },
  }
}

/** Replaces imports of Node's modules in a bundled file. Places keep their lines, for stack traces. */
function byRequire(text) {
  const { body } = parse(text, { ecmaVersion: 'latest', sourceType: 'module' })
  let done = ''
  let from = 0
  for (const { type, start, end, source, specifiers } of body) {
    if (type !== 'ImportDeclaration' || !isBuiltin(source.value)) continue
    const lines = text.slice(start, end).replace(/[^\n]/g, '')
    done += `${text.slice(from, start)}${required(source.raw, specifiers)}${lines}`
    from = end
  }
  return done + text.slice(from)
}

function required(source, specifiers) {
  const module = `require(${source})`
  const named = specifiers
    .filter(({ type }) => type === 'ImportSpecifier')
    .map(({ imported, local }) => `${imported.name}:${local.name}`)
  const whole = specifiers.filter(({ type }) => type !== 'ImportSpecifier').map(({ local }) => local.name)
  const parts = [...whole, ...(named.length > 0 ? [`{${named.join(',')}}`] : [])]
  return parts.length === 0 ? `${module};` : `const ${parts.map(part => `${part}=${module}`).join(',')};`
}

/** A default import of a module of Node's is the module. esbuild would copy all that it offers, and so load all of it. */
export const nodeModule = 'const nodeModule = found => ({ __proto__: found, default: found });'

export function nodeByProxy(text) {
  return text.replace(/__toESM\((require\("([\w:/]+)"\))(?:, ?1)?\)/g, (whole, required, name) =>
    isBuiltin(name) ? `nodeModule(${required})` : whole,
  )
}

/** A program as one function, which `src/kept-code.ts` calls. Our code is strict wherever it is. */
export const asFunction = {
  begin: `(function(exports,require,module,__filename,__dirname){"use strict";${nodeModule}`,
  end: '})',
}

/** A text with one byte for each character takes half the memory of another, and its places are the same in bytes. */
export function oneByte(text) {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all of ASCII
  const other = /[^\x00-\x7f]/.exec(text)
  if (other)
    throw new Error(
      `the runtime has a character outside of ASCII: ${text.slice(other.index - 40, other.index + 40)}`,
    )
  return text
}
