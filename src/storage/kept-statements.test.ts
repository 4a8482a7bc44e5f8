import assert from 'node:assert/strict'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { withKeptStatements } from './kept-statements.ts'

const words = sqliteTable('words', { id: integer().primaryKey(), word: text().notNull().unique() })

function open() {
  const sqlite = new Database(':memory:')
  sqlite.exec('create table words (id integer primary key, word text not null unique)')
  const connection = withKeptStatements(sqlite)
  return { sqlite, connection, db: drizzle(connection, { schema: { words } }) }
}

test('queries answer the same from statements that are kept', () => {
  const { db } = open()
  for (let round = 0; round < 3; round++) {
    assert.equal(
      db
        .insert(words)
        .values({ word: `w${round}` })
        .run().changes,
      1,
    )
    assert.throws(() => db.insert(words).values({ word: 'w0' }).run(), /UNIQUE/)
    assert.deepEqual(db.select().from(words).get(), { id: 1, word: 'w0' })
    assert.equal(db.select().from(words).all().length, round + 1)
    assert.equal(db.query.words.findMany().sync().length, round + 1)
    assert.throws(
      () =>
        db.transaction(tx => {
          tx.insert(words).values({ word: 'gone' }).run()
          tx.transaction(inner => inner.delete(words).run())
          assert.deepEqual(tx.select().from(words).all(), [])
          throw new Error('back')
        }),
      /back/,
    )
  }
})

test('a text that is asked for as objects and as arrays answers in both ways', () => {
  const { db } = open()
  db.insert(words).values({ word: 'one' }).run()
  const query = sql`select * from words`
  for (let round = 0; round < 2; round++) {
    assert.deepEqual(db.values(query), [[1, 'one']])
    assert.deepEqual(db.all(query), [{ id: 1, word: 'one' }])
    assert.deepEqual(db.get(query), { id: 1, word: 'one' })
  }
})

test('a kept statement sees a changed table', () => {
  const { sqlite, db } = open()
  db.insert(words).values({ word: 'one' }).run()
  const query = sql`select * from words`
  db.all(query)
  sqlite.exec('alter table words add column length integer default 3')
  assert.deepEqual(db.all(query), [{ id: 1, word: 'one', length: 3 }])
  assert.deepEqual(db.values(query), [[1, 'one', 3]])
})

test('a statement whose rows are being read is left alone', () => {
  const { connection, db } = open()
  for (const word of ['one', 'two']) db.insert(words).values({ word }).run()
  const text = 'select word from words order by id'
  const pairs = []
  for (const { word } of connection.prepare<[], { word: string }>(text).iterate())
    pairs.push([word, connection.prepare(text).all().length])
  assert.deepEqual(pairs, [
    ['one', 2],
    ['two', 2],
  ])
})

test('a connection has one set of statements, and forgets those used longest ago', () => {
  const { sqlite, connection } = open()
  assert.equal(withKeptStatements(sqlite), connection)
  const [often, once] = ['select 1', 'select 2'].map(text => connection.prepare(text))
  for (let index = 0; index < 500; index++) {
    connection.prepare(`select ${index} as number`)
    assert.equal(connection.prepare('select 1'), often)
  }
  assert.notEqual(connection.prepare('select 2'), once)
})

test('the connection closes with its statements', () => {
  const { sqlite, connection, db } = open()
  db.select().from(words).all()
  sqlite.close()
  assert.equal(connection.open, false)
  assert.throws(() => db.select().from(words).all(), /not open/)
})
