import type { ManifestError } from './manifest-error.ts'

/** A request to the manifest reader: compile the repo’s manifest into a folder and return what it registers. */
export interface ReadingRequest {
  /** Absolute and without symbolic links, because source maps name files that way. */
  repo: string
  /** An empty folder next to the build’s final place, so that relative paths in source maps stay valid. */
  out: string
  /** A file to read with this content instead of the one on disk, as if it were saved. */
  draft?: Draft | undefined
  /** The command reads it in a clone, where packages are installed that an instance leaves out. */
  clone?: boolean | undefined
}

export interface Draft {
  /** Relative to the repo. */
  file: string
  content: string
}

/**
 * The value of a field as JSON, or the kind of a value that JSON cannot represent. For a schema of a library, its
 * JSON Schema.
 */
export type Field = { value: unknown } | { kind: string } | { schema: Record<string, unknown> }

/** One call of `jobRegistry.register`, before any check; a function is represented by its kind only. */
export interface Registration {
  fields: Record<string, Field>
  file: string | null
  line: number | null
  column: number | null
}

/**
 * The response. Of errors, `unread` tells that no code of the repo has run. `code` is the hash of the build; `inputs` are
 * the repo’s files that went into it; `warnings` are imports that fail when a run comes to them; `packages` are the
 * addresses of modules that may be linked ahead of the next reading. `again` asks for another process: what this one did
 * ahead might make a difference.
 */
export type Reading =
  | { again: true }
  | { errors: ManifestError[]; unread?: boolean }
  | {
      code: string
      inputs: string[]
      registrations: Registration[]
      warnings?: ManifestError[]
      packages?: string[]
    }

/** Limits beyond which a manifest is refused. */
export const readingLimits = {
  registrations: 20_000,
  errors: 50,
  text: 2000,
  schemaBytes: 64 * 1024,
  bytes: 16 * 1024 * 1024,
  build: 64 * 1024 * 1024,
}
