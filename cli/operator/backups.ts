import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { programRoot } from '../../src/root.ts'
import { bytesInWords } from '../../views/components/bytes.ts'
import { type Argument, UsageError } from '../command/arguments.ts'
import type { Call, Command } from '../command/call.ts'
import { CommandError } from '../command/jobs-folder.ts'
import { sayTable } from '../command/output.ts'
import { type Control, controlOf, jsonOption } from './control/control.ts'
import { ago, columnLook, type Looks } from './control/look.ts'
import type { BackupJson, ListedBackupJson } from './control/wire.ts'
import { instanceArgument } from './instance.ts'
import { operate } from './operation.ts'
import { done, failed, stillInProgress, timeoutOf, waitOptions } from './waiting.ts'

const backupArgument: Argument = { name: 'backup', words: 'the id of a backup', example: 'copy_01k3' }

const lookEveryMs = 500

const looks: Looks = { kept: 'green', failed: 'red', waiting: 'yellow' }

const backup: Command = {
  name: 'backup',
  takes: [{ ...instanceArgument, optional: true }],
  needsRepo: false,
  summary: 'backs up an instance while it runs; without a name, the records of the control plane',
  details: 'The backup goes into the store of BACKUP_STORE. longhouse verify proves that it can be restored.',
  options: waitOptions,
  run: async call => {
    const { args, output } = call
    timeoutOf(call)
    const control = controlOf(call)
    if (args.id !== '') {
      const made = await control.ask<BackupJson>('backupAdminInstance', { path: { subdomain: args.id } })
      return tellCopy(call, control, made, ({ status }) => status === 'waiting')
    }
    const records = await control.ask<{ created_at: string; bytes: number }>('postAdminBackup')
    if (args.flag('json')) output.json(records)
    else output.say(`The records of the control plane are backed up, ${bytesInWords(records.bytes)}`)
    return done
  },
}

const verify: Command = {
  name: 'verify',
  takes: [instanceArgument, backupArgument],
  needsRepo: false,
  summary: 'proves that a backup can be restored',
  details: 'Restores it into a scratch folder, checks every file and database, and starts a runtime on it.',
  options: waitOptions,
  run: async call => {
    const { args } = call
    timeoutOf(call)
    const control = controlOf(call)
    const path = { subdomain: args.id, id: args.word(1) }
    const before = await control.ask<BackupJson>('getAdminInstanceBackup', { path })
    const asked = await control.ask<BackupJson>('verifyAdminInstanceBackup', { path })
    const isOpen = ({ verified_at: at, error }: BackupJson) => at === before.verified_at && error === null
    return tellCopy(call, control, asked, isOpen)
  },
}

/** Prints a copy, with `--wait` once it is no longer open, and resolves with the exit code. */
async function tellCopy(
  call: Call,
  control: Control,
  asked: BackupJson,
  isOpen: (copy: BackupJson) => boolean,
): Promise<number> {
  const { args, output, now, signal } = call
  const until = performance.now() + timeoutOf(call)
  let copy = asked
  while (args.flag('wait') && isOpen(copy) && performance.now() < until) {
    await pause(lookEveryMs, undefined, { signal })
    copy = await control.ask<BackupJson>('getAdminInstanceBackup', {
      path: { subdomain: args.id, id: copy.id },
    })
  }
  if (args.flag('json')) output.json(copy)
  else {
    const proven = copy.verified_at === null ? 'not proven yet' : `proven ${ago(copy.verified_at, now)}`
    const size = copy.bytes === null ? '' : `, ${bytesInWords(copy.bytes)}`
    const state = isOpen(copy) ? 'in progress' : copy.status
    output.say(`${copy.id}: ${state}${size}, ${proven}${copy.error === null ? '' : `: ${copy.error}`}`)
  }
  if (copy.status === 'failed' || copy.error !== null) return failed
  return args.flag('wait') && isOpen(copy) ? stillInProgress : done
}

const backups: Command = {
  name: 'backups',
  takes: [{ ...instanceArgument, optional: true }],
  needsRepo: false,
  summary: 'lists the backups of an instance, newest first; without a name, those of all',
  details:
    'PROVEN says when a backup was last restored into a scratch folder and checked. With --purged: the backups that are left of ' +
    'instances whose data were deleted; longhouse restore <instance> <backup> --into <name> brings one back.',
  options: { purged: { words: 'only backups of instances that were purged' }, ...jsonOption },
  run: async call => {
    const { args, output } = call
    const [name, isPurged] = [args.id, args.flag('purged')]
    const listsAll = isPurged || name === ''
    const answer = listsAll
      ? { backups: await listedBackups(controlOf(call), { name, isPurged }) }
      : await controlOf(call).ask<{ backups: BackupJson[] }>('listAdminInstanceBackups', {
          path: { subdomain: name },
        })
    if (args.flag('json')) output.json(answer)
    else if (answer.backups.length > 0) sayBackups(call, answer.backups)
    else if (listsAll)
      output.note(isPurged ? 'No backups of purged instances are kept.' : 'There are no backups.')
    else output.note(`${name} has no backups; longhouse backup ${name} makes one.`)
    return done
  },
}

/** The kept copies of all instances, or of those of one name, from all pages of the list. */
async function listedBackups(
  control: Control,
  { name, isPurged }: { name: string; isPurged: boolean },
): Promise<ListedBackupJson[]> {
  const found: ListedBackupJson[] = []
  let cursor: string | null = null
  do {
    const page: { backups: ListedBackupJson[]; next_cursor: string | null } = await control.ask(
      'listAdminBackups',
      {
        query: {
          limit: '500',
          ...(name !== '' && { subdomain: name }),
          ...(isPurged && { purged: 'true' }),
          ...(cursor !== null && { cursor }),
        },
      },
    )
    found.push(...page.backups)
    cursor = page.next_cursor
  } while (cursor !== null)
  return found
}

function sayBackups({ output, now }: Call, copies: readonly (BackupJson | ListedBackupJson)[]): void {
  const rows = copies.map(copy => [
    copy.id,
    copy.status,
    ago(copy.created_at, now),
    copy.bytes === null ? '' : bytesInWords(copy.bytes),
    copy.reason,
    ago(copy.verified_at, now),
    ...('subdomain' in copy ? [copy.subdomain + (copy.purged ? ', purged' : '')] : []),
    copy.error ?? '',
  ])
  const isListed = copies.some(copy => 'subdomain' in copy)
  const headings = ['ID', 'STATUS', 'MADE', 'SIZE', 'REASON', 'PROVEN', ...(isListed ? ['INSTANCE'] : []), '']
  sayTable(output, headings, rows, columnLook(1, looks))
}

const restoreInstance = operate('restore', 'restoreAdminInstance', {
  takes: [
    {
      name: 'instance',
      words: 'the name of an instance; or, on a fresh host, the address of a store',
      example: 'acme copy_01k3',
    },
    { ...backupArgument, optional: true },
  ],
  summary: 'restores a backup of an instance, undoes a removal, or makes a fresh host whole',
  details:
    'restore acme <backup> restores in place; if the instance does not become healthy, the previous data are put back. With --into, ' +
    'the backup becomes a new instance; it may be one of a purged instance that had the name. restore acme undoes the removal of acme. ' +
    'restore <store>, such as s3:https://…, ' +
    'sftp:… or a folder with a slash, runs in the container of the control plane: it puts the newest backup of the records into an ' +
    'empty data root.',
  options: {
    into: { value: '<name>', words: 'restores into a new instance with this name' },
    owner: {
      value: '<email>',
      words: 'with --into: the owner, by default the last one of the copied instance',
    },
  },
  body: ({ args }) => {
    const copy = args.word(1)
    const [into, owner] = [args.text('into'), args.text('owner')]
    if (owner !== undefined && into === undefined)
      throw new UsageError(
        '--owner goes with --into <name>; longhouse transfer gives an instance to another owner',
      )
    if (into !== undefined && copy === undefined)
      throw new UsageError(`--into needs a backup: longhouse restore ${args.id} <backup> --into ${into}`)
    return {
      ...(copy !== undefined && { backup: copy }),
      ...(into !== undefined && { into }),
      ...(owner !== undefined && { owner_email: owner }),
    }
  },
})

const restore: Command = {
  ...restoreInstance,
  run: async call => {
    // An address of a store has one of these, and the name of an instance has neither.
    if (!/[/:]/.test(call.args.id)) return restoreInstance.run(call)
    timeoutOf(call)
    return restoreHost(call)
  },
}

/** The program is beside ours in a build of the control plane, and not in the npm package. */
async function restoreHost({ args, signal }: Call): Promise<number> {
  const program = [programRoot('restore.js'), programRoot('dist/restore.js')].find(file => existsSync(file))
  if (program === undefined) {
    throw new CommandError(
      `a host is restored with the program of the control plane, on that host: docker compose -f docker/compose.yaml run --rm control-plane longhouse restore ${args.id}`,
    )
  }
  if (args.word(1) !== undefined || args.text('into') !== undefined)
    throw new UsageError('restore <store> takes nothing else: it restores every instance')
  const child = spawn(process.execPath, [program, args.id], { stdio: 'inherit' })
  const interrupt = () => child.kill('SIGINT')
  signal.addEventListener('abort', interrupt)
  const [code] = (await once(child, 'exit')) as [number | null]
  signal.removeEventListener('abort', interrupt)
  return code ?? failed
}

const archive: Command = {
  name: 'archive',
  takes: [instanceArgument],
  needsRepo: false,
  summary: 'downloads everything of an instance as one archive, for its owner',
  details: 'A tar archive, compressed: jobs with their history, runs, logs and state. Needs the role own.',
  options: {
    output: {
      value: '<file>',
      short: 'o',
      words: 'the file, which must not exist; by default <instance>.tar.gz',
    },
  },
  run: async call => {
    const { args, output, workingDir, signal } = call
    const file = resolve(workingDir, args.text('output') ?? `${args.id}.tar.gz`)
    const body = await controlOf(call).open('getAdminInstanceArchive', { path: { subdomain: args.id } })
    await pipeline(body, createWriteStream(file, { flags: 'wx', mode: 0o600 }), { signal })
    output.say(file)
    return done
  },
}

export const copying: readonly Command[] = [backup, backups, verify, restore, archive]
