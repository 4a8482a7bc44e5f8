import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { type TestContext, test } from 'node:test'
import { integer, type SQLiteTable, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { plugins as controlPlane } from '../control-plane/program.ts'
import { plugins as runtime } from '../runtime/program.ts'
import type { Plugin } from './kernel/plugin.ts'
import { programRoot } from './root.ts'
import { memoryFolder } from './testing/folder.ts'
import {
  faultsAfter,
  firstMigrations,
  type MigrationChain,
  stepsOf,
  untriedAt,
} from './testing/migration-chain.ts'

const chainsOf = (plugins: readonly Plugin[]): MigrationChain[] =>
  plugins.flatMap(({ name, tables }) => (tables ? [{ part: tables.part ?? name, tables }] : []))

/** What is wrong after any step of a chain: each database is filled at that step and migrated to the end. */
function faultsOf(t: TestContext, chain: MigrationChain): string[] {
  const faults = new Set<string>()
  // The last step has nothing to migrate: it shows that the schema reads what stands in a full database.
  for (let step = 1; step <= stepsOf(chain); step++)
    for (const fault of faultsAfter(chain, step, memoryFolder(t))) faults.add(`from step ${step}: ${fault}`)
  return [...faults]
}

for (const [program, plugins] of Object.entries({ 'control plane': controlPlane, runtime }))
  for (const chain of chainsOf(plugins)) {
    test(`${program}, ${chain.part}: a database with rows in every table reaches the newest schema from any step`, t => {
      assert.deepEqual(faultsOf(t, chain), [])
    })
    test(`${program}, ${chain.part}: those rows hold every pair of columns filled and null, and every word beside both`, t => {
      for (let step = 1; step <= stepsOf(chain); step++)
        assert.deepEqual(untriedAt(chain, step, memoryFolder(t)), [], `step ${step}`)
    })
  }

test('the walk through a chain finds removals and suspensions that are dropped before they are copied', t => {
  const chain = chainsOf(controlPlane).find(({ part }) => part === 'provisioner')
  assert.ok(chain)
  const withoutCopies = (sql: string) => sql.replace(/^INSERT INTO [^;]*;--> statement-breakpoint\n/gm, '')
  const migrations = firstMigrations(chain, stepsOf(chain), memoryFolder(t), withoutCopies)
  const faults = faultsOf(t, { ...chain, tables: { ...chain.tables, migrations } })
  for (const [column, movedTo] of [
    ['deleted_at', 'removals.deleted_at'],
    ['suspended_at', 'suspensions.suspended_at'],
  ])
    assert.ok(
      faults.some(fault =>
        fault.endsWith(`of provisioner_instances.${column} are not in provisioner_${movedTo}`),
      ),
      faults.join('\n'),
    )
})

const things = sqliteTable('things', { id: text('id').primaryKey(), size: integer('size') })
const parts = sqliteTable('parts', {
  id: text('id').primaryKey(),
  thingId: text('thing_id').references(() => things.id),
})

const rebuilt = (copied: string) =>
  `create table parts_new (id text primary key not null, thing_id text references things(id));
--> statement-breakpoint
insert into parts_new ${copied};
--> statement-breakpoint
drop table parts;
--> statement-breakpoint
alter table parts_new rename to parts;`

const thingsWithoutSize = sqliteTable('things', { id: text('id').primaryKey() })
const sizes = sqliteTable('sizes', { thingId: text('thing_id').primaryKey(), size: integer('size') })

const moving = (copied: string) =>
  `create table sizes (thing_id text primary key not null, size integer);
--> statement-breakpoint
insert into sizes ${copied};
--> statement-breakpoint
alter table things drop column size;`

const sizesMoved = {
  moved: [
    { column: 'things.size', movedTo: 'sizes.size', by: ['id', 'thing_id'], where: 'size is not null' },
  ],
}

interface Case {
  what: string
  sql: string
  schema?: Record<string, SQLiteTable>
  /** What the chain declares. */
  history?: unknown
  fault: RegExp | null
}

const cases: Case[] = [
  {
    what: 'a migration that keeps every row',
    sql: rebuilt('select id, thing_id from parts'),
    fault: null,
  },
  {
    what: 'a migration that drops rows',
    sql: rebuilt('select id, thing_id from parts where thing_id is not null'),
    fault: /^from step 1: parts had \d+ rows and has \d+$/,
  },
  {
    what: 'a migration that deletes what other rows point to',
    sql: 'delete from things;',
    fault: /^from step 1: the migration failed: FOREIGN KEY constraint failed$/,
  },
  {
    what: 'a migration that overwrites values',
    sql: 'update things set size = 0;',
    fault: /^from step 1: \d+ rows of things do not hold what they held$/,
  },
  {
    what: 'a migration that fails only where there are rows',
    sql: `create table sizes (size integer not null);
--> statement-breakpoint
insert into sizes select size from things;`,
    fault: /^from step 1: the migration failed: NOT NULL constraint failed/,
  },
  {
    what: 'a column that the schema lacks',
    sql: 'alter table things add color text;',
    fault: /^from step [12]: the schema does not know things\.color$/,
  },
  {
    what: 'a column that the schema reads and a migration dropped',
    sql: 'alter table things drop column size;',
    fault:
      /^from step [12]: (the schema reads things\.size, which does not exist|things\.size was dropped, and .* does not say .*)$/,
  },
  {
    what: 'a column that a migration dropped and the schema does not read',
    sql: 'alter table things drop column size;',
    schema: { things: thingsWithoutSize, parts },
    fault:
      /^from step 1: things\.size was dropped, and meta\/_history\.json does not say where its values went$/,
  },
  {
    what: 'a table that a migration dropped and the schema does not read',
    sql: 'drop table parts;',
    schema: { things },
    fault: /^from step 1: parts\.(id|thing_id) was dropped, and .* does not say where its values went$/,
  },
  {
    what: 'a dropped column whose values are where it is declared',
    sql: moving('select id, size from things where size is not null'),
    schema: { things: thingsWithoutSize, parts, sizes },
    history: sizesMoved,
    fault: null,
  },
  {
    what: 'a dropped column whose values were not all moved',
    sql: moving('select id, size from things where size is not null limit 1'),
    schema: { things: thingsWithoutSize, parts, sizes },
    history: sizesMoved,
    fault: /^from step 1: \d+ values of things\.size are not in sizes\.size$/,
  },
  {
    what: 'a dropped column whose values went to the wrong rows',
    sql: moving('select id, (select min(size) from things) from things where size is not null'),
    schema: { things: thingsWithoutSize, parts, sizes },
    history: sizesMoved,
    fault: /^from step 1: \d+ values of things\.size are not in sizes\.size$/,
  },
  {
    what: 'a dropped column of which no value was to be kept',
    sql: moving('select id, size from things where size is not null'),
    schema: { things: thingsWithoutSize, parts, sizes },
    history: { moved: sizesMoved.moved.map(each => ({ ...each, where: 'size is null' })) },
    fault: /^from step 1: no value of things\.size is declared to move to sizes\.size$/,
  },
  {
    what: 'a replaced value that was declared',
    sql: 'update things set size = null where size % 2 = 0;',
    history: {
      replaced: [{ before: '0001_second', column: 'things.size', where: 'size % 2 = 0', with: null }],
    },
    fault: null,
  },
]

for (const { what, sql, schema = { things, parts }, history, fault } of cases)
  test(`the walk through a chain ${fault ? 'finds' : 'accepts'} ${what}`, t => {
    const folder = memoryFolder(t)
    mkdirSync(join(folder, 'meta'))
    const first = `create table things (id text primary key not null, size integer);
--> statement-breakpoint
create table parts (id text primary key not null, thing_id text references things(id));`
    const steps = { '0000_first': first, '0001_second': sql }
    for (const [tag, text] of Object.entries(steps)) writeFileSync(join(folder, `${tag}.sql`), text)
    const entries = Object.keys(steps).map((tag, idx) => ({
      idx,
      version: '6',
      when: idx + 1,
      tag,
      breakpoints: true,
    }))
    writeFileSync(
      join(folder, 'meta/_journal.json'),
      JSON.stringify({ version: '7', dialect: 'sqlite', entries }),
    )
    if (history) writeFileSync(join(folder, 'meta/_history.json'), JSON.stringify(history))
    const migrations = relative(programRoot(), folder)
    const faults = faultsOf(t, { part: 'test', tables: { schema, migrations } })
    if (fault === null) assert.deepEqual(faults, [])
    else {
      assert.ok(faults.length > 0)
      for (const found of faults) assert.match(found, fault)
    }
  })
