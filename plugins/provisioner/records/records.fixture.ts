import type { TestContext } from 'node:test'
import type { Events } from '../../../src/kernel/control-plane.ts'
import { openSqlite, openTables } from '../../../src/storage/database.ts'
import { type ManualClock, manualClock } from '../../../src/testing/clock.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { longhouse } from '../../../views/brand.tsx'
import type { Destination } from '../../router/contract.ts'
import type { Driver } from '../driver.ts'
import { Addresses } from '../drivers/addresses.ts'
import type { Instance, InstanceRow } from '../schema.ts'
import * as schema from '../schema.ts'
import { instances } from '../schema.ts'
import { folderTurns } from '../volumes/turns.ts'
import { lookAtVolume } from '../volumes/volume.ts'
import { DefaultImage } from './default-image.ts'
import type { Fleet } from './fleet.ts'
import { getInstance } from './instance.ts'

export interface TestRecords extends Fleet {
  clock: ManualClock
  /** Writes the record of an instance that runs, unless `row` says otherwise. */
  add(row?: Partial<InstanceRow>): Instance
  /** The last route that the router got for each subdomain; null for a removed one. */
  routes: Map<string, Destination | null>
  /** What was announced. */
  emitted: { event: keyof Events; payload: unknown }[]
}

/** Records in memory, with a clock that a test moves. Its driver does only what `driver` gives. */
export function testRecords(t: TestContext, driver: Partial<Driver> = {}): TestRecords {
  const sqlite = openSqlite(':memory:')
  t.after(() => sqlite.close())
  const db = openTables(sqlite, 'provisioner', { schema, migrations: 'plugins/provisioner/migrations' })
  const clock = manualClock()
  const routes: TestRecords['routes'] = new Map()
  const emitted: TestRecords['emitted'] = []
  let made = 0
  return {
    db,
    clock,
    routes,
    emitted,
    driver: { name: 'process', settings: {}, outlivesControlPlane: true, ...driver } as Driver,
    router: {
      set: (subdomain, destination) => void routes.set(subdomain, destination),
      subdomains: () => [...routes.keys()],
      setRule: () => undefined,
      traffic: () => [],
      hosts: () => [],
      subdomainOf: () => null,
      remove: subdomain => void routes.set(subdomain, null),
    },
    lookAtVolume,
    site: {
      domain: 'example.com',
      host: '127.0.0.1',
      port: 80,
      publicUrl: null,
      dataRoot: temporaryFolder(t),
      trustedProxies: [],
      routerMode: 'direct',
      tls: null,
      proxyProtocol: [],
      bodyRate: 0,
      hstsSeconds: 0,
      drainGraceMs: 5000,
      production: false,
      brand: longhouse,
    },
    timezone: 'UTC',
    stopGraceMs: 1000,
    keep: { runsPerJob: 500, forMs: 86_400_000 },
    packagesBytes: 2 * 1024 ** 3,
    diskBytes: null,
    runsAtOnce: 8,
    limits: { memoryBytes: 512 * 1024 ** 2, cpus: 1, pids: 256 },
    secretKeys: { of: id => `key of ${id}` },
    mail: null,
    environments: () => [],
    variables: () => ({ values: {}, secrets: [], digest: null }),
    copies: () => null,
    inTurn: folderTurns(),
    imagesInUse: () => [],
    changed: () => {},
    defaultImage: new DefaultImage('longhouse-runtime:latest', driver as Driver),
    addresses: new Addresses(driver as Driver),
    quarantineMs: 30 * 86_400_000,
    emit: (event, payload) => void emitted.push({ event, payload }),
    add: (row = {}) => {
      const number = ++made
      const id = `inst_${number}`
      db.insert(instances)
        .values({
          id,
          subdomain: `box-${number}`,
          ownerEmail: 'ada@example.com',
          desired: 'running',
          status: 'running',
          driver: 'process',
          image: 'longhouse-runtime:latest',
          passwordHash: 'none',
          createdAt: clock.now(),
          ...row,
        })
        .run()
      return getInstance(db, row.id ?? id)
    },
  }
}
