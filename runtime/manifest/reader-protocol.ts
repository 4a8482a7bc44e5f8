import type { ManifestError } from './manifest-error.ts'

/** What the manifest reader is asked: to compile the repo's manifest into a folder and to say what it registers. */
export interface ReadingRequest {
  /** Absolute, and free of symbolic links, for that is how source maps name files. */
  repo: string
  /** An empty folder beside where the build will stay, so that relative paths in source maps hold. */
  out: string
  /** A file whose content is not what lies on the disk: what it would be if somebody saved it. */
  draft?: Draft | undefined
}

export interface Draft {
  /** Relative to the repo. */
  file: string
  content: string
}

/**
 * What a field holds as JSON has it, or of what JSON has not the kind. Of a schema that a library made, the JSON Schema
 * of what it takes.
 */
export type Field = { value: unknown } | { kind: string } | { schema: Record<string, unknown> }

/** One call of `jobRegistry.register`, as found: nothing is checked yet, and a function is only named as such. */
export interface Registration {
  fields: Record<string, Field>
  file: string | null
  line: number | null
  column: number | null
}

/** What it answers. `code` names the content of the build; `inputs` are the repo's files that went into it. */
export type Reading =
  | { errors: ManifestError[] }
  | { code: string; inputs: string[]; registrations: Registration[] }

/** Beyond these a manifest is refused rather than half understood. */
export const readingLimits = {
  registrations: 20_000,
  errors: 50,
  text: 2000,
  schemaBytes: 64 * 1024,
  bytes: 16 * 1024 * 1024,
  build: 64 * 1024 * 1024,
}
