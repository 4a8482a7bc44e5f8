import { getCallSites } from 'node:util'

// Whoever reads the manifest looks here. Under a symbol, so that one copy of this file is enough whichever loads it.
const key = Symbol.for('longhouse.registered')
globalThis[key] ??= []
const registered = globalThis[key]

export const jobRegistry = {
  register(job) {
    const [, site] = getCallSites(2, { sourceMap: true })
    registered.push({
      job,
      site: site && { file: site.scriptName, line: site.lineNumber, column: site.columnNumber },
    })
  },
}
