import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { BootError } from '../../src/boot-error.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { loadAdminToken } from './admin-token.ts'
import { openGate } from './auth.fixture.ts'

const fileOf = (dataRoot: string) => join(dataRoot, '.control', 'admin-token')

/** Opens the gate on a data root whose token file holds this, and returns the faults that it refuses with. */
async function faultsWith(t: TestContext, env: Record<string, string>, content?: string): Promise<string> {
  const dataRoot = temporaryFolder(t)
  if (content !== undefined) {
    mkdirSync(join(dataRoot, '.control'))
    writeFileSync(fileOf(dataRoot), content)
  }
  const error = await openGate(t, { env: { LONGHOUSE_DATA_ROOT: dataRoot, ...env } }).then(
    () => assert.fail('it started'),
    (error: unknown) => error,
  )
  assert.ok(error instanceof BootError, String(error))
  assert.equal(
    content === undefined ? undefined : readFileSync(fileOf(dataRoot), 'utf8'),
    content,
    'it is left as it was',
  )
  return error.faults.join()
}

test('the first start generates a token file with mode 0600, and later starts keep it', async t => {
  const dataRoot = temporaryFolder(t)
  const env = { LONGHOUSE_DATA_ROOT: dataRoot, ADMIN_TOKEN: '' }
  const first = await openGate(t, { env })
  const file = fileOf(dataRoot)
  assert.equal(first.program.services.auth?.tokenFile, file)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  assert.equal(statSync(join(dataRoot, '.control')).mode & 0o777, 0o700)
  const text = readFileSync(file, 'utf8')
  assert.match(text, /^[\w-]{43}\n$/)
  assert.ok(!readdirSync(join(dataRoot, '.control')).some(name => name.endsWith('.new')))
  await first.program.stop()

  const second = await openGate(t, { env })
  assert.equal(readFileSync(file, 'utf8'), text)
  const open = await second.ask('/vault', { headers: { Authorization: `Bearer ${text.trim()}` } })
  assert.equal(open.status, 200)
})

test('no file is written for a token that the operator sets', async t => {
  const dataRoot = temporaryFolder(t)
  const { program } = await openGate(t, { env: { LONGHOUSE_DATA_ROOT: dataRoot } })
  assert.equal(program.services.auth?.tokenFile, null)
  assert.equal(existsSync(fileOf(dataRoot)), false)
})

test('a token that is too short, or that no header can carry, stops the start', async t => {
  for (const token of ['x'.repeat(15), ' '.repeat(20), 'two words are not one', 'passwörter-und-so-weiter']) {
    assert.match(
      await faultsWith(t, { ADMIN_TOKEN: token }),
      /^ADMIN_TOKEN: must have at least 16 characters/,
    )
  }
})

test('a token file without a valid token stops the start', async t => {
  for (const content of ['', '\n', 'short\n', 'two words are not one token\n']) {
    const faults = await faultsWith(t, { ADMIN_TOKEN: '' }, content)
    assert.match(
      faults,
      /^ADMIN_TOKEN: what \S+admin-token holds must have .*remove the file to have one made$/,
    )
  }
})

test('a token file that cannot be read or written is reported in words', t => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'admin-token'))
  assert.throws(
    () => loadAdminToken(undefined, join(folder, 'admin-token')),
    /ADMIN_TOKEN: cannot read .*EISDIR/,
  )
  assert.throws(
    () => loadAdminToken(undefined, join(folder, 'gone/admin-token')),
    /ADMIN_TOKEN: cannot write .*ENOENT/,
  )
  chmodSync(folder, 0o700)
})

test('only the token itself matches', t => {
  const token = loadAdminToken('correct-horse-battery', join(temporaryFolder(t), 'x'))
  assert.equal(token.matches('correct-horse-battery'), true)
  for (const guess of [
    '',
    'correct-horse-batter',
    'correct-horse-battery ',
    'CORRECT-horse-battery',
    token.hash,
  ]) {
    assert.equal(token.matches(guess), false, guess)
  }
})
