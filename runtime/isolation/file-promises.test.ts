import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registry, startInstance } from '../engine.fixture.ts'

/** Each way to come by the functions for files that return promises. */
const ways = {
  imported: "import { symlink } from 'node:fs/promises'\nexport const made = at => symlink('a', at)",
  named: "import { symlink } from 'fs/promises'\nexport const made = at => symlink('a', at)",
  'of fs': "import { promises } from 'node:fs'\nexport const made = at => promises.symlink('a', at)",
  'imported later': "export const made = async at => (await import('node:fs/promises')).symlink('a', at)",
  required:
    "import { createRequire } from 'node:module'\nexport const made = at => createRequire(import.meta.url)('fs/promises').symlink('a', at)",
  'required from fs':
    "import { createRequire } from 'node:module'\nexport const made = at => createRequire(import.meta.url)('fs').promises.symlink('a', at)",
  'built in': "export const made = at => process.getBuiltinModule('node:fs/promises').symlink('a', at)",
}

test('functions for files are those for jobs, by whatever way a job comes by them', async t => {
  const names = Object.keys(ways)
  const { run } = await startInstance(t, {
    files: {
      ...Object.fromEntries(Object.values(ways).map((code, index) => [`way-${index}.js`, code])),
      'manifest.ts':
        registry +
        names
          .map(
            (_, index) =>
              `jobRegistry.register({ id: 'way-${index}', cron: '@yearly', func: async () => {
                const { made } = await import('./way-${index}.js')
                await made('data/link-${index}')
              } })\n`,
          )
          .join(''),
    },
  })
  // Of several at once, most find no runner that waits and has loaded them.
  const ended = await Promise.all(names.map((_, index) => run(`way-${index}`)))
  for (const [index, { status, error }] of ended.entries())
    assert.equal(status, 'succeeded', `${names[index]}: ${error?.message}`)
})
