// Whoever reads the manifest looks here. Under a symbol, so that one copy of this file is enough whichever loads it.
const key = Symbol.for('longhouse.registered')
globalThis[key] ??= []
const registered = globalThis[key]

// Not imported: that would load all that the module ever offers.
const { getCallSites } = process.getBuiltinModule('node:util')

export const jobRegistry = {
  register(job) {
    // Where this was called. A run does not ask.
    const [, site] = registered.sites === false ? [] : getCallSites(2, { sourceMap: true })
    registered.push({
      job,
      site: site && { file: site.scriptName, line: site.lineNumber, column: site.columnNumber },
    })
  },
}
