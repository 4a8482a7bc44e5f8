// A separate program for one sync: isomorphic-git is large, and a remote may be slow; neither may delay the runtime.
// It ends with its parent.
import fs from 'node:fs'
import { dirname } from 'node:path'
import git from 'isomorphic-git'
import { serial } from '../../src/concurrency.ts'
import type { SyncAnswers, SyncReply, SyncRequest } from '../git/merge/sync-protocol.ts'
import { atomicFs } from '../git/objects/atomic-fs.ts'
import { isLink, isSubmodule, openObjects } from '../git/objects/objects.ts'
import { placeOf } from '../git/objects/path-bytes.ts'
import { listEntries } from '../git/objects/tree-changes.ts'
import { checkout, recoverCheckout } from '../git/work-tree/checkout.ts'
import { contains } from './history.ts'
import { makePlan } from './plan.ts'
import { fetchBranch, pushCommit, verify } from './transport.ts'

const inOrder = serial()

process.on('message', (request: SyncRequest) => {
  void inOrder(async () => {
    const reply = await replyTo(request)
    if (process.connected) process.send?.(reply)
  })
})
process.once('disconnect', () => process.exit(0))

async function replyTo(request: SyncRequest): Promise<SyncReply> {
  try {
    return { id: request.id, ok: await answer(request) }
  } catch (error) {
    return { id: request.id, error: error instanceof Error ? error.message : String(error) }
  }
}

async function answer(request: SyncRequest): Promise<SyncAnswers[keyof SyncAnswers]> {
  const { dir } = request
  switch (request.op) {
    case 'verify':
      return verify(request.remote)
    case 'fetch':
      return fetchBranch(dir, request.remote, request.branch)
    case 'plan':
      return makePlan(dir, request.request)
    case 'scratch':
      return writeScratch(dir, request.commit, request.folder)
    case 'checkout':
      await keepCommit(dir, request)
      return checkout(dir, request)
    case 'recover':
      await recoverCheckout(dir)
      return null
    case 'push':
      return { pushed: await pushCommit(dir, request.remote, request.commit, request.branch) }
  }
}

/** Keeps a commit that the new history does not contain, so that no local commit is lost. */
async function keepCommit(dir: string, { from, to }: { from: string; to: string }): Promise<void> {
  if (await contains(dir, to, from)) return
  const ref = `refs/longhouse/kept/${from.slice(0, 12)}`
  await git.writeRef({ fs: atomicFs, dir, ref, value: from, force: true })
}

async function writeScratch(dir: string, commit: string, folder: string): Promise<null> {
  const objects = openObjects(dir)
  const skip = (name: string) => name === 'node_modules'
  for (const [path, entry] of await listEntries(objects, await objects.treeOf(commit), { skip })) {
    if (isSubmodule(entry) || path.split('/').includes('node_modules')) continue
    const blob = Buffer.from(await objects.blob(entry.oid))
    fs.mkdirSync(placeOf(folder, dirname(path)), { recursive: true })
    const file = placeOf(folder, path)
    if (isLink(entry)) fs.symlinkSync(blob, file)
    else fs.writeFileSync(file, blob)
  }
  return null
}
