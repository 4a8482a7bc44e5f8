import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openSqlite, openTables } from '../../src/storage/database.ts'
import { openSeal, parseKey } from '../../src/storage/seal.ts'
import { manualClock } from '../../src/testing/clock.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import * as schema from './schema.ts'
import { openSecrets } from './secrets.ts'

function openAll(t: TestContext, dir = temporaryFolder(t), given: Buffer | null = null) {
  const sqlite = openSqlite(join(dir, 'longhouse.db'))
  t.after(() => sqlite.close())
  const db = openTables(sqlite, 'secrets', { schema, migrations: 'runtime/secrets/migrations' })
  const seal = openSeal({ given, keyFile: join(dir, 'secret.key') })
  return { dir, sqlite, seal, secrets: openSecrets({ db, seal, clock: manualClock(1000) }) }
}

test('a secret is set, revealed, replaced and removed, and listed with the jobs that use it', t => {
  const { secrets } = openAll(t)
  secrets.set('TOKEN', 'one')
  secrets.set('TOKEN', 'two ☃')
  secrets.set('OTHER', 'x')
  assert.deepEqual(secrets.reveal(['TOKEN', 'GONE']), { values: { TOKEN: 'two ☃' }, missing: ['GONE'] })
  assert.deepEqual(secrets.list([{ id: 'a', secrets: ['TOKEN', 'GONE'] }, { id: 'b' }]), [
    { name: 'GONE', updatedAt: null, readable: false, wantedBy: ['a'] },
    { name: 'OTHER', updatedAt: 1000, readable: true, wantedBy: [] },
    { name: 'TOKEN', updatedAt: 1000, readable: true, wantedBy: ['a'] },
  ])
  assert.equal(secrets.remove('TOKEN'), true)
  assert.equal(secrets.remove('TOKEN'), false)
  assert.deepEqual(secrets.reveal(['TOKEN']).missing, ['TOKEN'])
  assert.throws(() => secrets.set('lower', 'x'), /capital letters/)
})

test('the key is created at first use, readable by its owner alone; the database contains no plain value', t => {
  const { dir, sqlite, secrets } = openAll(t)
  const keyFile = join(dir, 'secret.key')
  assert.deepEqual(secrets.list([]), [])
  assert.equal(existsSync(keyFile), false)
  secrets.set('TOKEN', 'a value that nobody may read')
  assert.equal(statSync(keyFile).mode & 0o777, 0o600)
  sqlite.pragma('wal_checkpoint(TRUNCATE)')
  assert.ok(!readFileSync(join(dir, 'longhouse.db'), 'latin1').includes('nobody may read'))
  const again = openAll(t, dir)
  assert.equal(again.secrets.reveal(['TOKEN']).values.TOKEN, 'a value that nobody may read')
})

test('without its key a secret is listed but unreadable, and can be set again', t => {
  const { dir, secrets } = openAll(t)
  secrets.set('TOKEN', 'old')
  writeFileSync(join(dir, 'secret.key'), randomBytes(32).toString('base64'))
  const { secrets: later } = openAll(t, dir)
  assert.equal(later.list([])[0]?.readable, false)
  assert.deepEqual(later.reveal(['TOKEN']), { values: {}, missing: ['TOKEN'] })
  later.set('TOKEN', 'new')
  assert.equal(later.reveal(['TOKEN']).values.TOKEN, 'new')
  writeFileSync(join(dir, 'secret.key'), 'half a k')
  assert.throws(() => openAll(t, dir).secrets.set('TOKEN', 'x'), /holds no key/)
})

test('a configured key replaces the key file', t => {
  const { dir, secrets } = openAll(t)
  secrets.set('OLD', 'with the file')
  const given = randomBytes(32)
  const { secrets: later } = openAll(t, dir, given)
  later.set('NEW', 'with the given')
  assert.deepEqual(later.reveal(['OLD', 'NEW']).values, { OLD: 'with the file', NEW: 'with the given' })
  assert.deepEqual(secrets.reveal(['NEW']).missing, ['NEW'], 'the file alone does not open it')
})

test('a sealed value opens only for its purpose and unchanged', t => {
  const { seal } = openAll(t)
  const sealed = seal.seal('value', 'secret A')
  assert.equal(seal.open(sealed, 'secret A'), 'value')
  assert.equal(seal.open(sealed, 'secret B'), null)
  for (const broken of ['', '1.', sealed.slice(0, -3), sealed.replace('1.', '2.')]) {
    assert.equal(seal.open(broken, 'secret A'), null)
  }
  assert.notEqual(seal.seal('value', 'secret A'), sealed)
})

test('a key is 32 bytes in base64, and nothing else', () => {
  const key = randomBytes(32)
  assert.deepEqual(parseKey(`${key.toString('base64')}\n`), key)
  assert.deepEqual(parseKey(key.toString('base64url')), key)
  for (const text of ['', 'abc', randomBytes(31).toString('base64'), `${key.toString('hex')}`]) {
    assert.equal(parseKey(text), null)
  }
})
