// A reporter for node:test: `failed <file>`, once a file, `skipped <reason>`, once a test, and `took <ms> <file>`, at
// the end of a file; each on a line of its own.
export default async function* testOutcome(events) {
  const told = new Set()
  for await (const { type, data } of events) {
    // A file is the test that names itself.
    if (type === 'test:complete' && data.nesting === 0 && data.file?.endsWith(data.name))
      yield `took ${Math.round(data.details.duration_ms)} ${data.name}\n`
    if (type !== 'test:pass' && type !== 'test:fail') continue
    if (data.skip !== undefined && data.skip !== false) {
      yield `skipped ${typeof data.skip === 'string' && data.skip ? data.skip : 'for no reason that it tells'}\n`
    }
    // A test that a fixture declares belongs to the file that was run.
    const file = data.entryFile ?? data.file
    if (type === 'test:pass' || !file || told.has(file)) continue
    told.add(file)
    yield `failed ${file}\n`
  }
}
