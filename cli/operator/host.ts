import { bytesInWords } from '../../views/components/bytes.ts'
import type { Option } from '../command/arguments.ts'
import type { Call, Command } from '../command/call.ts'
import { sayTable } from '../command/output.ts'
import { controlOf, jsonOption } from './control/control.ts'
import { ago, sayFields } from './control/look.ts'
import { done } from './waiting.ts'

interface OrphansJson {
  items: {
    id: string
    kind: string
    name: string
    reason: string
    since: string | null
    bytes: number | null
    repair: string | null
    effect: string
    advice: string
  }[]
  unknown: string[]
  checked_at: string | null
}

interface ImageJson {
  id: string
  tags: string[]
  bytes: number
  created_at: string
  needed_by: string[]
}

interface DiskJson {
  free_bytes: number
  total_bytes: number
  volumes_bytes: number
  logs_bytes_at_most: number
  images: ImageJson[]
  folders: { name: string; what: string; bytes: number | null }[]
}

interface PrunedJson {
  dry_run: boolean
  removed: ImageJson[]
  kept: { id: string; reason: string }[]
}

const dryRun: Readonly<Record<string, Option>> = {
  'dry-run': { words: 'only says what would be done' },
}

const orphans: Command = {
  name: 'orphans',
  takes: [],
  needsRepo: false,
  summary: 'lists what does not fit the records: containers, folders, routes, backups, instances',
  details: 'As of the last comparison, or of one that is made now with --compare.',
  options: { compare: { words: 'compares now, and then lists' }, ...jsonOption },
  run: async call => {
    const { args, output, now } = call
    const control = controlOf(call)
    const found = args.flag('compare')
      ? await control.ask<OrphansJson>('postAdminOrphansCompare')
      : await control.ask<OrphansJson>('listAdminOrphans')
    if (args.flag('json')) {
      output.json(found)
      return done
    }
    const rows = found.items.map(({ id, kind, name, reason, since, bytes, repair }) => [
      ...[id, kind, name, reason, ago(since, now)],
      ...[bytes === null ? '' : bytesInWords(bytes), repair ?? ''],
    ])
    if (rows.length > 0) sayTable(output, ['ID', 'KIND', 'NAME', 'REASON', 'SINCE', 'SIZE', 'REPAIR'], rows)
    else output.note('Everything fits the records.')
    for (const what of found.unknown) output.note(`Could not be looked at: ${what}`)
    output.note(`Compared ${ago(found.checked_at, now)}.`)
    return done
  },
}

const repair: Command = {
  name: 'orphans repair',
  takes: [{ name: 'id', words: 'the id of an orphan', example: 'container:0f3c' }],
  needsRepo: false,
  summary: 'does what can be done about one orphan; no volume and no backup is deleted',
  details: 'It is looked at again before. `longhouse orphans` lists the ids, and what the repair is.',
  options: { ...dryRun, ...jsonOption },
  run: async call => {
    const { args, output } = call
    const answer = await controlOf(call).ask<{ done: boolean; what: string }>('repairAdminOrphan', {
      path: { id: args.id },
      body: { dry_run: args.flag('dry-run') },
    })
    if (args.flag('json')) output.json(answer)
    else output.say(answer.done ? answer.what : `would be done: ${answer.what}`)
    return done
  },
}

const disk: Command = {
  name: 'disk',
  takes: [],
  needsRepo: false,
  summary: 'shows what takes the disk of the host',
  details:
    'All volumes, the output of containers, the images of Longhouse, and the folders of the control plane.',
  options: jsonOption,
  run: async call => {
    const { args, output } = call
    const shown = await controlOf(call).ask<DiskJson>('getAdminDisk')
    if (args.flag('json')) {
      output.json(shown)
      return done
    }
    sayFields(output, [
      ['free', `${bytesInWords(shown.free_bytes)} of ${bytesInWords(shown.total_bytes)}`],
      ['volumes', bytesInWords(shown.volumes_bytes)],
      ['logs', `at most ${bytesInWords(shown.logs_bytes_at_most)}`],
      ...shown.folders.map(
        ({ name, bytes }) => [name, bytes === null ? 'not known' : bytesInWords(bytes)] as const,
      ),
    ])
    sayImages(call, shown.images)
    return done
  },
}

const prune: Command = {
  name: 'disk prune',
  takes: [],
  needsRepo: false,
  summary: 'removes images of the runtime that nothing needs',
  details: 'No container, no instance and no way back needs them. --dry-run lists them first.',
  options: {
    image: { value: '<id>', many: true, words: 'only this image, by its id or the first 12 digits of it' },
    ...dryRun,
    ...jsonOption,
  },
  run: async call => {
    const { args, output } = call
    const images = args.texts('image')
    const answer = await controlOf(call).ask<PrunedJson>('postAdminDiskPrune', {
      body: { dry_run: args.flag('dry-run'), ...(images.length > 0 && { images }) },
    })
    if (args.flag('json')) {
      output.json(answer)
      return done
    }
    if (answer.removed.length > 0) sayImages(call, answer.removed)
    const verb = answer.dry_run ? 'would be removed' : 'removed'
    output.note(`${answer.removed.length === 1 ? '1 image' : `${answer.removed.length} images`} ${verb}`)
    for (const { id, reason } of answer.kept) output.note(`${shortId(id)} stays: ${reason}`)
    return done
  },
}

function sayImages({ output, now }: Call, images: readonly ImageJson[]): void {
  const rows = images.map(({ id, tags, bytes, created_at, needed_by }) => [
    ...[shortId(id), tags.join(', '), bytesInWords(bytes), ago(created_at, now)],
    needed_by.join(', '),
  ])
  if (rows.length > 0) sayTable(output, ['IMAGE', 'TAGS', 'SIZE', 'MADE', 'NEEDED BY'], rows)
}

const shortId = (id: string) => id.replace(/^sha256:/, '').slice(0, 12)

/** What is on the host: what nothing knows, and what takes the disk. */
export const ofHost: readonly Command[] = [orphans, repair, disk, prune]
