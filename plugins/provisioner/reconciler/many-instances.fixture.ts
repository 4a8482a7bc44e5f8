import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { identityFile } from '../../../src/storage/volume-identity.ts'
import { planOf } from '../records/plan.ts'

/** How many operations are to be done or being done, by the records on the disk. */
export function openOperations(dataRoot: string): number {
  const sqlite = new Database(join(dataRoot, '.control', 'longhouse.db'), { readonly: true })
  try {
    const count = sqlite.prepare(
      `select count(*) from provisioner_operations where status in ('pending', 'running')`,
    )
    return Number(count.pluck().get())
  } finally {
    sqlite.close()
  }
}

/**
 * Writes instances of the process driver into the records of a stopped control plane, as if each had been provisioned
 * and run: with a volume by default, and a finished operation with its journal. Returns their names, in order.
 */
export function addInstances(dataRoot: string, howMany: number, { volumes = true } = {}): string[] {
  const sqlite = new Database(join(dataRoot, '.control', 'longhouse.db'), { fileMustExist: true })
  try {
    return sqlite.transaction(() => {
      sqlite
        .prepare(
          `insert into provisioner_instances (id, subdomain, owner_email, desired, status, driver, image, password_hash,
            host, port, created_at, ready_at, last_health_at, volume_marked_at, operation_id)
          select 'inst_' || value, value, value || '@example.com', 'running', 'running', 'process', 'longhouse-runtime:latest',
            'none', '127.0.0.1', 1, :at, :at, :at, :at, 'op_' || value
          from (select printf('box-%05d', value) as value from json_each(:numbers))`,
        )
        .run({ at: Date.now() - 86_400_000, numbers: JSON.stringify([...Array(howMany).keys()]) })
      sqlite.exec(
        `insert into provisioner_operations (id, instance_id, kind, status, created_at, started_at, finished_at)
          select operation_id, id, 'provision', 'succeeded', created_at, created_at, ready_at from provisioner_instances`,
      )
      sqlite
        .prepare(
          `insert into provisioner_steps (operation_id, position, name, status, started_at, finished_at)
          select operation_id, key, value, 'done', created_at, ready_at from provisioner_instances, json_each(?)`,
        )
        .run(JSON.stringify(planOf('provision', 'running').steps.map(({ name }) => name)))
      const rows = sqlite.prepare('select id, subdomain from provisioner_instances order by subdomain')
      const all = rows.all() as { id: string; subdomain: string }[]
      for (const { id, subdomain } of volumes ? all : []) {
        mkdirSync(join(dataRoot, subdomain), { mode: 0o700 })
        writeFileSync(join(dataRoot, subdomain, identityFile), `${id}\n`)
      }
      return all.map(({ subdomain }) => subdomain)
    })()
  } finally {
    sqlite.close()
  }
}
