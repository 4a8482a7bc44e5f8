import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { builtRoot } from '../../src/root.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { noRestic } from '../../src/testing/restic.ts'
import { backupFleet } from './backup.fixture.ts'

test('copies and proofs that hang are ended in words, and harm neither the instance nor the next copy', {
  skip: noRestic,
}, async t => {
  const folder = temporaryFolder(t)
  const [hang, started] = [join(folder, 'hang'), join(folder, 'started')]
  const copyProgram = join(folder, 'copy.mjs')
  // Hangs while there is a file that names its command, with a program that it has started.
  writeFileSync(
    copyProgram,
    `import { existsSync, readFileSync, writeFileSync } from 'node:fs'
     import { spawn } from 'node:child_process'
     if (existsSync(${JSON.stringify(hang)}) && readFileSync(${JSON.stringify(hang)}, 'utf8') === process.argv[2]) {
       process.on('SIGTERM', () => {})
       process.stdin.resume()
       writeFileSync(${JSON.stringify(started)}, String(spawn('sleep', ['600'], { stdio: 'inherit' }).pid))
       process.stderr.write('a step that takes long\\n')
       setInterval(() => {}, 60_000)
     } else await import(${JSON.stringify(pathToFileURL(builtRoot('copy.js')).href)})`,
  )
  const copies = { copyProgram, folderIdleMs: 60_000 }
  const fleet = await backupFleet(t, { copies })
  await fleet.provision('acme')
  const hangs = (command: string | null) => {
    copies.folderIdleMs = command ? 3000 : 60_000
    if (command) writeFileSync(hang, command)
    else rmSync(hang)
  }
  const isGone = async () => {
    const pid = Number(readFileSync(started, 'utf8'))
    for (let look = 0; look < 200 && isRunning(pid); look++)
      await new Promise(resolve => setTimeout(resolve, 20))
    return !isRunning(pid)
  }

  hangs('pack')
  const failed = await fleet.admin<{ detail?: string }>('POST', '/admin/instances/acme/backup', { wait: 100 })
  assert.match(
    JSON.stringify(failed.body),
    /could not pack .*: it was ended, because nothing happened for 3 seconds; its last step: a step that takes long/,
  )
  assert.ok(await isGone(), 'what the program started has gone with it')
  assert.equal((await fleet.visit('acme', '/api/health')).status, 200)

  hangs(null)
  const copy = await fleet.copy('acme')
  const verify = async () =>
    JSON.stringify(
      (await fleet.admin('POST', `/admin/instances/acme/backups/${copy.id}/verify`, { wait: 100 })).body,
    )
  hangs('prove')
  assert.match(
    await verify(),
    /could not prove .*: it was ended, because nothing happened for 3 seconds; its last step: a step that takes long/,
  )
  assert.ok(await isGone())
  assert.equal((await fleet.visit('acme', '/api/health')).status, 200)

  hangs(null)
  await verify()
  const [proven] = await fleet.copies('acme')
  assert.equal(proven?.id, copy.id)
  assert.notEqual(proven?.verified_at, null)
  assert.equal(proven?.error, null)
})

function isRunning(pid: number): boolean {
  try {
    // One that has ended may wait for its parent to notice.
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
