import { z } from 'zod'
import { timestamp } from '../../src/clock.ts'
import { preferredWait, wantsPage } from '../../src/http/negotiate.ts'
import { type AppContext, type Guard, type Route, route } from '../../src/http/route.ts'
import type { InstanceSummary, ProvisionerService } from '../provisioner/contract.ts'
import { type BackupDb, findCopy, keptCopies, requestCopy, requireCopy } from './copies/copies.ts'
import type { CopyMaker } from './copies/making.ts'
import { keptRoutes } from './kept-routes.tsx'
import { backupFailed, unknownBackup } from './problems.ts'
import type { CopyRow } from './schema.ts'
import type { OpenStore } from './store/open-store.ts'
import { StoreError } from './store/store.ts'
import { backupSchema, backupsSchema, wireBackup } from './wire.ts'

export interface BackupRoutes {
  db: BackupDb
  admin: Guard
  provisioner: ProvisionerService
  store: OpenStore
  maker: CopyMaker
  now(): number
  prove(row: CopyRow, seen?: (instanceId: string | null) => void): Promise<CopyRow>
  copyRecords(): Promise<{ createdAt: number; bytes: number }>
}

const named = z.object({ subdomain: z.string() })
const numbered = z.object({ subdomain: z.string(), id: z.string() })
const nothing = z.object({})

export function backupRoutes(parts: BackupRoutes): Route[] {
  return [
    makeRoute(parts),
    listRoute(parts),
    oneRoute(parts),
    verifyRoute(parts),
    recordsRoute(parts),
    ...keptRoutes(parts),
  ]
}

function makeRoute(parts: BackupRoutes): Route {
  const { db, admin, store, maker, now } = parts
  return route({
    method: 'post',
    path: '/admin/instances/{subdomain}/backup',
    summary: 'Back up an instance, while it runs',
    guard: admin,
    role: 'operate',
    mayWait: true,
    params: named,
    body: nothing,
    answers: {
      201: {
        description: 'The backup was made, within the time that `Prefer: wait=N` allows',
        schema: backupSchema,
      },
      202: { description: 'The backup is being made; `Location` leads to it', schema: backupSchema },
      303: { description: 'For a browser: back to the page' },
    },
    handle: async (c, { params }) => {
      const instance = parts.provisioner.instance(params.subdomain)
      if (store.missing()) store.require()
      const row = requestCopy(db, instance, 'demand', now(), null, copyId => maker.hasBegun(copyId))
      const making = maker.make(row.id)
      return await answer(parts, c, instance, row.id, making, 201)
    },
  })
}

function listRoute({ db, admin, ...parts }: BackupRoutes): Route {
  return route({
    method: 'get',
    path: '/admin/instances/{subdomain}/backups',
    summary: 'The backups of an instance, newest first',
    guard: admin,
    role: 'read',
    params: named,
    answers: { 200: { description: 'The backups that can be restored', schema: backupsSchema } },
    handle: (c, { params }) => {
      const { id } = parts.provisioner.instance(params.subdomain)
      return c.json({ backups: keptCopies(db, id).map(wireBackup) })
    },
  })
}

function oneRoute({ db, admin, ...parts }: BackupRoutes): Route {
  return route({
    method: 'get',
    path: '/admin/instances/{subdomain}/backups/{id}',
    summary: 'One backup, also while it is being made',
    guard: admin,
    role: 'read',
    params: numbered,
    answers: { 200: { description: 'The backup', schema: backupSchema } },
    handle: (c, { params }) => {
      const instance = parts.provisioner.instance(params.subdomain)
      const row = findCopy(db, params.id)
      if (row?.instanceId !== instance.id) throw unknownBackup(`This instance has no backup "${params.id}".`)
      return c.json(wireBackup(row))
    },
  })
}

function verifyRoute(parts: BackupRoutes): Route {
  const { db, admin, prove } = parts
  return route({
    method: 'post',
    path: '/admin/instances/{subdomain}/backups/{id}/verify',
    summary: 'Restore a backup into a scratch folder, check it, and start a runtime on it',
    guard: admin,
    role: 'operate',
    mayWait: true,
    params: numbered,
    body: nothing,
    answers: {
      200: { description: 'The backup works', schema: backupSchema },
      202: { description: 'The work has started; `Location` leads to the backup', schema: backupSchema },
      303: { description: 'For a browser: back to the page' },
      503: { description: 'The backup could not be tried, which says nothing about it' },
      507: { description: 'There is no space to try the backup, which says nothing about it' },
    },
    handle: async (c, { params }) => {
      const instance = parts.provisioner.instance(params.subdomain)
      const row = requireCopy(db, instance.id, params.id)
      return await answer(parts, c, instance, row.id, prove(row), 200)
    },
  })
}

function recordsRoute({ admin, copyRecords }: BackupRoutes): Route {
  return route({
    method: 'post',
    path: '/admin/backup',
    summary: 'Back up the control plane’s own records now; they are backed up every hour',
    guard: admin,
    role: 'operate',
    body: nothing,
    answers: {
      201: {
        description: 'The backup was made',
        schema: z.object({ created_at: z.iso.datetime(), bytes: z.number() }),
      },
    },
    handle: async c => {
      try {
        const { createdAt, bytes } = await copyRecords()
        return c.json({ created_at: timestamp(createdAt), bytes }, 201)
      } catch (error) {
        if (!(error instanceof StoreError)) throw error
        throw backupFailed(`${error.message}. The earlier backups are unchanged.`)
      }
    },
  })
}

/** Answers for work on a copy: when it is done, or the time that the client waits is over. */
async function answer(
  { db }: BackupRoutes,
  c: AppContext,
  { subdomain }: InstanceSummary,
  copyId: string,
  work: Promise<CopyRow>,
  done: 200 | 201,
) {
  work.catch(() => {})
  if (wantsPage(c)) return c.redirect(`/admin/instances/${subdomain}`, 303)
  const waitMs = preferredWait(c) * 1000
  const row = waitMs > 0 ? await within(work, waitMs) : null
  const failure = row?.error ?? row?.fault
  if (failure) throw backupFailed(`${failure}. The instance and its other backups are unchanged.`)
  c.header('Location', `/admin/instances/${subdomain}/backups/${copyId}`)
  if (waitMs > 0) c.header('Preference-Applied', `wait=${waitMs / 1000}`)
  const now = row ?? findCopy(db, copyId)
  if (!now) throw unknownBackup(`There is no backup "${copyId}".`)
  return c.json(wireBackup(now), row === null || row.status === 'waiting' ? 202 : done)
}

async function within<T>(work: Promise<T>, ms: number): Promise<T | null> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<null>(resolve => {
    timer = setTimeout(() => resolve(null), ms)
  })
  return await Promise.race([work, late]).finally(() => clearTimeout(timer))
}
