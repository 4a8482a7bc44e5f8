import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { systemClock } from '../../src/clock.ts'
import { hashPassword } from '../../src/password.ts'
import { openSqlite, openTables } from '../../src/storage/database.ts'
import { temporaryFolder } from '../../src/testing/folder.ts'
import { passwordGate } from './password.ts'
import * as schema from './schema.ts'
import { sessionStore } from './session.ts'

function database(t: TestContext) {
  const sqlite = openSqlite(join(temporaryFolder(t), 'longhouse.db'))
  t.after(() => sqlite.close())
  return openTables(sqlite, 'auth', { schema, migrations: 'runtime/auth/migrations' })
}

test('a plain password and its hash both sign in', async t => {
  const db = database(t)
  const plain = await passwordGate(db, systemClock, 'correct horse')
  assert.equal(await plain.matches('correct horse'), true)
  assert.equal(await plain.matches('Correct horse'), false)
  const hashed = await passwordGate(database(t), systemClock, await hashPassword('correct horse'))
  assert.equal(await hashed.matches('correct horse'), true)
  assert.equal(await hashed.matches('wrong'), false)
})

test('sessions survive a restart with the same password, and end when the password changes', async t => {
  const db = database(t)
  const sessions = sessionStore(db, systemClock)
  await passwordGate(db, systemClock, 'correct horse')
  const { secret } = sessions.open('password')
  await passwordGate(db, systemClock, 'correct horse')
  assert.ok(sessions.find(secret))
  await passwordGate(db, systemClock, 'another horse')
  assert.equal(sessions.find(secret), null)

  const hash = await hashPassword('third horse')
  await passwordGate(db, systemClock, hash)
  const { secret: second } = sessions.open('password')
  await passwordGate(db, systemClock, hash)
  assert.ok(sessions.find(second))
})

test('guesses beyond the queue are refused instead of held in memory', async t => {
  const gate = await passwordGate(database(t), systemClock, 'correct horse')
  const outcomes = await Promise.allSettled(Array.from({ length: 60 }, () => gate.matches('wrong')))
  const sentAway = outcomes.filter(outcome => outcome.status === 'rejected')
  assert.equal(sentAway.length, 60 - 34)
  assert.ok(sentAway.every(outcome => (outcome.reason as { status: number }).status === 503))
  assert.equal(await gate.matches('correct horse'), true, 'it goes on after the crowd')
})
