import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { type TestContext, test } from 'node:test'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { plugins as controlPlane } from '../control-plane/program.ts'
import { plugins as runtime } from '../runtime/program.ts'
import type { Plugin } from './kernel/plugin.ts'
import { programRoot } from './root.ts'
import { memoryFolder } from './testing/folder.ts'
import { faultsAfter, type MigrationChain, stepsOf } from './testing/migration-chain.ts'

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
  for (const chain of chainsOf(plugins))
    test(`${program}, ${chain.part}: a database with rows in every table reaches the newest schema from any step`, t => {
      assert.deepEqual(faultsOf(t, chain), [])
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

const cases = [
  {
    what: 'a migration that keeps every row',
    sql: rebuilt('select id, thing_id from parts'),
    fault: null,
  },
  {
    what: 'a migration that drops rows',
    sql: rebuilt('select id, thing_id from parts where thing_id is not null'),
    fault: /^from step 1: parts had 12 rows and has \d+$/,
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
    fault: /^from step [12]: the schema reads things\.size, which does not exist$/,
  },
] as const

for (const { what, sql, fault } of cases)
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
    const migrations = relative(programRoot(), folder)
    const faults = faultsOf(t, { part: 'test', tables: { schema: { things, parts }, migrations } })
    if (fault === null) assert.deepEqual(faults, [])
    else {
      assert.ok(faults.length > 0)
      for (const found of faults) assert.match(found, fault)
    }
  })
