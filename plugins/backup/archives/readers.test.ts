import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import { builtRoot } from '../../../src/root.ts'
import { eventually } from '../../../src/testing/eventually.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { noRestic } from '../../../src/testing/restic.ts'
import { testFleet, token } from '../../provisioner/fleet.fixture.ts'
import { backup } from '../index.ts'
import type { WireBackup } from '../wire.ts'
import { exchange } from './archive.fixture.ts'

test('a restore waits for those who read the data that it replaces', { skip: noRestic }, async t => {
  const place = temporaryFolder(t)
  const [began, go, copyProgram] = [join(place, 'began'), join(place, 'go'), join(place, 'copy.mjs')]
  const real = builtRoot('copy.js')
  // Holds an archive for its owner from its first piece until it may go on.
  writeFileSync(
    copyProgram,
    `import { spawn } from 'node:child_process'
     import { existsSync, writeFileSync } from 'node:fs'
     if (process.argv[2] !== 'pack' || !/portable/.test(process.argv[4])) await import(${JSON.stringify(pathToFileURL(real).href)})
     else {
       const args = [${JSON.stringify(real)}, ...process.argv.slice(2)]
       const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
       for await (const piece of child.stdout) {
         writeFileSync(${JSON.stringify(began)}, '')
         while (!existsSync(${JSON.stringify(go)})) await new Promise(resolve => setTimeout(resolve, 20))
         process.stdout.write(piece)
       }
     }`,
  )
  let beside: () => void = () => {}
  const fleet = await testFleet(t, {
    plugins: [backup],
    env: { BACKUP_EVERY: '0ms', BACKUP_PROVE_EVERY: '0ms' },
    copies: { copyProgram, folderIdleMs: 60_000 },
    driver: real => ({
      ...real,
      workOnFolder: async work => {
        const report = await real.workOnFolder(work)
        // Once the current data are copied, and before they are replaced.
        if (work.command === 'pack' && !('portable' in (work.options ?? {}))) beside()
        return report
      },
    }),
  })
  await fleet.provision('acme')
  const file = (name: string) => join(fleet.root, 'acme', name)
  writeFileSync(file('z.txt'), 'of the copy')
  const { body } = await fleet.admin<WireBackup>('POST', '/admin/instances/acme/backup', { wait: 60 })
  writeFileSync(file('a.bin'), randomBytes(8 * 1024 ** 2))
  writeFileSync(file('z.txt'), 'of before the restore')
  let fetched: ReturnType<typeof exchange> | undefined
  beside = () => {
    beside = () => {}
    fetched = exchange(fleet.port, {
      path: '/admin/instances/acme/archive',
      headers: { Authorization: `Bearer ${token}` },
    })
  }
  await fleet.admin('POST', '/admin/instances/acme/restore', { body: { backup: body.id }, wait: 0 })
  await eventually('the archive is read', () => existsSync(began))
  const ended = () =>
    fleet
      .admin('GET', '/admin/instances/acme')
      .then(({ body: { operation } }) => operation?.finished_at != null && operation)
  // Either the restore ends meanwhile, or it waits.
  await eventually('it ends', ended, { withinMs: 4000 }).catch(() => {})
  writeFileSync(go, '')
  const restored = await eventually('it ends', ended)
  assert.equal(restored.status, 'succeeded', restored.error ?? '')
  assert.equal(readFileSync(file('z.txt'), 'utf8'), 'of the copy')
  const archive = gunzipSync((await fetched)?.body ?? gzipSync('')).toString('latin1')
  assert.ok(archive.includes('of before the restore'), 'the archive has all of one time')
  assert.ok(!archive.includes('of the copy'))
})
