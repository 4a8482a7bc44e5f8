import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type Docker from 'dockerode'
import { resticStore } from '../../plugins/backup/store/restic.ts'
import type { Program } from './control-plane.fixture.ts'

/** One container or process where it should run, and none elsewhere; requests reach it or are refused. */
export async function runningFaults(program: Program, docker: Docker | null, subdomain: string, end: string) {
  const runs = end === 'running' ? 1 : 0
  const faults: string[] = []
  const answer = await program.visit(subdomain)
  if ((answer.status === 200) !== (runs === 1))
    return [`requests are answered with ${answer.status} though it is ${end}`]
  if (docker === null) {
    const processes = processesOn(join(subdomain))
    if (processes !== runs) faults.push(`${processes} processes run on its volume, not ${runs}`)
    return faults
  }
  const own = (await docker.listContainers({ all: true })).filter(({ Names }) =>
    Names.some(
      name =>
        new RegExp(`^/longhouse-${subdomain}(\\.|$)`).test(name) || name === `/longhouse-next-${subdomain}`,
    ),
  )
  const most = end === 'deleted' ? 0 : 1
  if (own.length > most || own.filter(({ State }) => State === 'running').length !== runs)
    faults.push(`its containers are ${JSON.stringify(own.map(({ Names, State }) => [Names, State]))}`)
  return faults
}

function processesOn(subdomain: string): number {
  return readdirSync('/proc').filter(pid => {
    try {
      const environment = /^\d+$/.test(pid) ? readFileSync(`/proc/${pid}/environ`, 'latin1') : ''
      return environment
        .split('\0')
        .some(each => /^LONGHOUSE_DATA_DIR=/.test(each) && each.endsWith(`/${subdomain}`))
    } catch {
      return false
    }
  }).length
}

export function read<T>(dataRoot: string, statement: string): T[] {
  const database = new Database(join(dataRoot, '.control/longhouse.db'), { readonly: true })
  try {
    return database.prepare<[], T>(statement).all()
  } finally {
    database.close()
  }
}

export function readHash(dataRoot: string, subdomain: string): string {
  const rows = read<{ subdomain: string; password_hash: string }>(
    dataRoot,
    'select subdomain, password_hash from provisioner_instances',
  )
  return rows.find(row => row.subdomain === subdomain)?.password_hash ?? ''
}

/**
 * What was left behind that nothing refers to: folders, copies in the store, containers. `known` are the instances, by subdomain, each
 * with what it is called in words.
 */
export async function leftOver(
  program: Program,
  docker: Docker | null,
  dataRoot: string,
  known: ReadonlyMap<string, string>,
): Promise<string[]> {
  const faults: string[] = []
  const inFolder = (name: string) => {
    const folder = join(dataRoot, '.control', name)
    return existsSync(folder) ? readdirSync(folder) : []
  }
  for (const name of ['restores', 'trash', 'proofs'])
    if (inFolder(name).length > 0) faults.push(`.control/${name} has ${inFolder(name).join()}`)
  const goingBack = read<{ instance_id: string }>(dataRoot, 'select instance_id from provisioner_rollbacks')
  const strange = inFolder('upgrades').filter(id => !goingBack.some(row => row.instance_id === id))
  if (strange.length > 0) {
    const names = read<{ id: string; subdomain: string }>(
      dataRoot,
      'select id, subdomain from provisioner_instances',
    )
    const whose = names.flatMap(row => (strange.includes(row.id) ? (known.get(row.subdomain) ?? []) : []))
    faults.push(`.control/upgrades has what nothing refers to of: ${whose.join('; ')}`)
  }
  const folders = readdirSync(dataRoot).filter(name => name !== '.control' && !known.has(name))
  if (folders.length > 0) faults.push(`the data root has ${folders.join()}`)

  if (existsSync(join(dataRoot, '.control/backups'))) {
    const store = resticStore({
      repository: join(dataRoot, '.control/backups'),
      passwordFile: join(dataRoot, '.control/backup-password'),
      folder: join(dataRoot, '.control/backup-work'),
      environment: {},
    })
    const stored = (await store.list()).map(({ snapshot }) => snapshot).toSorted()
    const recorded = read<{ snapshot: string }>(
      dataRoot,
      "select snapshot from backup_copies where status = 'kept' union select snapshot from backup_control_copies",
    )
    const wanted = recorded.map(({ snapshot }) => snapshot).toSorted()
    if (stored.join() !== wanted.join())
      faults.push(`the store has ${stored.length} copies, and the records have ${wanted.length}`)
  }
  const orphans = await program.call('GET', '/metrics')
  if (orphans.status !== 200) faults.push(`/metrics answers ${orphans.status}: ${orphans.text.slice(0, 200)}`)
  if (/orphans\S* [1-9]/.test(orphans.text)) faults.push('there are orphans')
  if (docker) {
    const working = await docker.listContainers({ all: true, filters: { label: ['longhouse.work'] } })
    const ours = working.filter(({ Labels }) => Labels['longhouse.work']?.startsWith(dataRoot))
    if (ours.length > 0) faults.push(`${ours.length} containers still work on folders`)
  }
  return faults
}

export async function removeContainers(docker: Docker, names: readonly string[]): Promise<void> {
  const all = await docker.listContainers({ all: true })
  const own = all.filter(({ Names }) => Names.some(name => names.some(each => name.includes(each))))
  await Promise.all(
    own.map(({ Id }) =>
      docker
        .getContainer(Id)
        .remove({ force: true })
        .catch(() => {}),
    ),
  )
}
