import assert from 'node:assert/strict'
import { copyFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { controlPlane } from '../control-plane/control-plane.ts'
import { startRuntime } from '../runtime/program.ts'
import { BootError } from '../src/boot-error.ts'
import { systemClock } from '../src/clock.ts'
import { silentLog } from '../src/log.ts'
import { temporaryFolder } from '../src/testing/folder.ts'

const programs = {
  'a control plane': {
    setting: 'LONGHOUSE_DATA_ROOT',
    fileIn: (root: string) => join(root, '.control', 'longhouse.db'),
    boot: async (root: string) => {
      const env = { LONGHOUSE_DATA_ROOT: root, LONGHOUSE_PORT: '0', PROVISIONER_DRIVER: 'process' }
      await (await controlPlane({ env, log: silentLog })).stop()
    },
  },
  'an instance': {
    setting: 'LONGHOUSE_DATA_DIR',
    fileIn: (root: string) => join(root, 'longhouse.db'),
    boot: async (root: string) => {
      const env = {
        LONGHOUSE_DATA_DIR: root,
        LONGHOUSE_PORT: '0',
        LONGHOUSE_PASSWORD: 'a password for this test',
      }
      const runtime = await startRuntime({ env, log: silentLog, clock: systemClock, spawned: false })
      await runtime.started
      await runtime.stop({ patience: false })
    },
  },
}

const damage: Record<string, { spoil(file: string): void; words: RegExp }> = {
  'is something else': {
    spoil: file =>
      writeFileSync(file, 'not a database, but a text that is long enough for a header of one'.repeat(99)),
    words:
      /longhouse\.db is not a database: its content is something else, or encrypted\. Nothing was changed\. .*backup/,
  },
  'is damaged': {
    spoil: file => {
      const bytes = readFileSync(file)
      bytes.fill(0xff, 100, 4096)
      writeFileSync(file, bytes)
    },
    words:
      /the database .*longhouse\.db is damaged \(.*\)\. Keep the file, and restore a backup in its place, or recover .*\.recover/,
  },
  'is a folder': {
    spoil: file => {
      rmSync(file)
      mkdirSync(file)
    },
    words: /cannot open the database .*longhouse\.db: it is a folder\. Nothing was changed\. Move it away/,
  },
}

for (const [program, { setting, fileIn, boot }] of Object.entries(programs)) {
  test(`${program} explains what is wrong with its database, and what to do`, async t => {
    const well = temporaryFolder(t)
    await boot(well)
    for (const [what, { spoil, words }] of Object.entries(damage)) {
      const root = temporaryFolder(t)
      const file = fileIn(root)
      mkdirSync(dirname(file), { recursive: true })
      copyFileSync(fileIn(well), file)
      spoil(file)
      const before = statSync(file).isFile() ? readFileSync(file) : null
      await assert.rejects(boot(root), (error: unknown) => {
        assert.ok(error instanceof BootError, `${what}: ${error}`)
        assert.match(error.message, words, what)
        assert.ok(error.message.includes(setting), what)
        return true
      })
      if (before) assert.deepEqual(readFileSync(file), before, what)
    }
  })
}
