import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import Database from 'better-sqlite3'
import { eventually } from '../../../src/testing/eventually.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { testFleet } from '../fleet.fixture.ts'

test('a change that cannot be written blocks no other change of its round', async t => {
  const root = temporaryFolder(t)
  const first = await testFleet(t, { root })
  const names = ['one-x', 'two-x', 'three-x']
  const ids = new Map<string, string>()
  for (const name of names) ids.set(name, (await first.provision(name)).body.id)
  await first.program.stop()
  const sqlite = new Database(join(root, '.control', 'longhouse.db'))
  sqlite.exec(
    `create trigger poison before insert on provisioner_operations when new.instance_id = '${ids.get('two-x')}'
     begin select raise(abort, 'poison'); end`,
  )
  sqlite.close()

  const second = await testFleet(t, { root })
  const status = async (name: string) => (await second.admin('GET', `/admin/instances/${name}`)).body
  for (const name of ['one-x', 'three-x'])
    await eventually(`${name} is started`, async () => {
      const { operation, status: now } = await status(name)
      return now === 'running' && operation?.kind === 'start'
    })
  assert.equal((await status('two-x')).operation?.kind, 'provision')
})

test('a round with many changes makes them all, a few to a transaction', async t => {
  const root = temporaryFolder(t)
  const first = await testFleet(t, { root })
  await first.provision('model')
  await first.program.stop()
  const sqlite = new Database(join(root, '.control', 'longhouse.db'))
  const columns = sqlite
    .prepare<[], { name: string }>("select name from pragma_table_info('provisioner_instances')")
    .all()
    .map(({ name }) => name)
  const kept = columns.map(name =>
    name === 'id'
      ? `'inst_' || n`
      : name === 'subdomain'
        ? `'many-' || n`
        : name === 'ready_at'
          ? 'null'
          : name,
  )
  sqlite.exec(
    `with recursive many(n) as (select 1 union all select n + 1 from many where n < 100)
     insert into provisioner_instances (${columns.join(', ')})
     select ${kept.join(', ')} from provisioner_instances, many where subdomain = 'model'`,
  )
  sqlite.exec("update provisioner_instances set desired = 'stopped' where subdomain like 'many-%'")
  sqlite.close()
  const second = await testFleet(t, { root })
  await eventually('all are stopped', async () => {
    const { body } = await second.admin<{ instances: { status: string }[] }>('GET', '/admin/instances')
    return body.instances.filter(({ status }) => status === 'stopped').length === 100
  })
})
