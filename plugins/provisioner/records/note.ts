import { eq, sql } from 'drizzle-orm'
import type { InstanceNote } from '../contract.ts'
import { type Note, notes } from '../schema.ts'
import type { ProvisionerDb } from './instance.ts'

/** The columns that another plugin may set, each with the column's name. */
const columns = {
  plan: 'plan',
  unpaid: 'unpaid',
  copiedAt: 'copied_at',
  copyOverdue: 'copy_overdue',
} as const

/**
 * Records what is known of instances, all with the same fields, in one statement. Only what has changed is written, and instances
 * without a record are passed over.
 */
export function recordNotes(db: ProvisionerDb, known: readonly InstanceNote[]): void {
  const [first] = known
  if (!first) return
  const fields = (Object.keys(columns) as (keyof typeof columns)[]).filter(
    field => first[field] !== undefined,
  )
  if (fields.length === 0) return
  const names = fields.map(field => columns[field])
  const values = JSON.stringify(
    known.map(each => [each.instanceId, ...fields.map(field => plain(each[field]))]),
  )
  const list = (of: (name: string) => string, between = ', ') => sql.raw(names.map(of).join(between))
  db.run(sql`insert into ${notes} (instance_id, ${list(name => name)})
    select json_extract(value, '$[0]'), ${sql.raw(names.map((_, index) => `json_extract(value, '$[${index + 1}]')`).join(', '))}
    from json_each(${values})
    where json_extract(value, '$[0]') in (select id from provisioner_instances)
    on conflict (instance_id) do update set ${list(name => `${name} = excluded.${name}`)}
    where ${list(name => `${name} is not excluded.${name}`, ' or ')}`)
}

const plain = (value: InstanceNote[keyof InstanceNote]) =>
  value === true ? 1 : value === false ? 0 : (value ?? null)

/** Records the version that an instance's runtime says it has. */
export function recordVersion(db: ProvisionerDb, instanceId: string, version: string): void {
  const change = { version, versionOrder: versionOrder(version) }
  db.insert(notes)
    .values({ instanceId, ...change })
    .onConflictDoUpdate({
      target: notes.instanceId,
      set: change,
      setWhere: sql`${notes.version} is not ${version}`,
    })
    .run()
}

/** A text that sorts as versions do: 1.9.0, 1.10.0-rc.1, 1.10.0. */
function versionOrder(version: string): string {
  const padded = version.replaceAll(/\d+/g, digits => digits.padStart(8, '0'))
  return version.includes('-') ? padded : `${padded}~`
}

export function findNote(db: ProvisionerDb, instanceId: string): Note | null {
  return db.select().from(notes).where(eq(notes.instanceId, instanceId)).get() ?? null
}
