import { z } from 'zod'

/** The name of the inventory in a copy. It is the last entry: a copy without it is incomplete. */
export const inventoryName = '.longhouse-copy.json'

/** Extended headers of the archive: a path, and where a link leads, in base64, where they are not UTF-8. */
export const bytesOfPath = 'LONGHOUSE.path'
export const bytesOfLink = 'LONGHOUSE.linkpath'

const file = z.object({
  /** Relative to the volume, as the archive names it. */
  path: z.string(),
  bytes: z.number(),
  sha256: z.string(),
  /** Rows of each table, for a SQLite database. */
  rows: z.record(z.string(), z.number()).optional(),
})

const schema = z.object({
  version: z.literal(1),
  /** The volume's mark: the instance that the copy was made of; null when it has none. */
  instanceId: z.string().nullable(),
  /** When the copy began: every record that was confirmed before is in it. Milliseconds since the epoch. */
  at: z.number(),
  files: z.array(file),
  /** Files that could not be read, with the reason. */
  unread: z.array(z.object({ path: z.string(), reason: z.string() })),
})

export type CopiedFile = z.output<typeof file>
/** What a copy contains, with a hash of each file. */
export type Inventory = z.output<typeof schema>

/** Throws in words when the text is no inventory. */
export function parseInventory(text: string): Inventory {
  const parsed = schema.safeParse(jsonOf(text))
  if (parsed.success) return parsed.data
  throw new Error('the copy has an inventory that this version of Longhouse cannot read')
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
