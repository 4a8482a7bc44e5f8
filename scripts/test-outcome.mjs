// A reporter for node:test: `failed <file>`, once a file, and `skipped <reason>`, once a test, each on a line of its own.
export default async function* testOutcome(events) {
  const told = new Set()
  for await (const { type, data } of events) {
    if (type !== 'test:pass' && type !== 'test:fail') continue
    if (data.skip !== undefined && data.skip !== false) {
      yield `skipped ${typeof data.skip === 'string' && data.skip ? data.skip : 'for no reason that it tells'}\n`
    }
    if (type === 'test:pass' || !data.file || told.has(data.file)) continue
    told.add(data.file)
    yield `failed ${data.file}\n`
  }
}
