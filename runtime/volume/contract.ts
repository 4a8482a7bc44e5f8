import type { Seal } from '../../src/storage/seal.ts'

/** The folders of the instance's volume. */
export interface Folders {
  dir: string
  /** The jobs repo. */
  jobsDir: string
  /** One folder a compiled set of jobs. */
  buildsDir: string
  /** One log a run. */
  runsDir: string
}

/** What the instance is called and where people reach it. */
export interface Place {
  name: string
  /** Its address as people see it; null when that is not set. */
  origin: string | null
}

/** The instance's volume, and what the instance is to others. */
export interface VolumeService {
  folders: Folders
  instanceId: string
  place: Place
  /** The address for links and examples: a guess where `place.origin` is not set. */
  address: string
  /** True when people reach the instance by HTTPS. */
  https: boolean
  /** Seals what is kept in the volume's database. */
  seal: Seal
  /** How long the program may take to stop. */
  stopGraceMs: number
  /** The address of a file that pages ask for, by its plain name. */
  assetUrl(name: string): string
}

declare module '../../src/kernel/runtime.ts' {
  interface Services {
    volume: VolumeService
  }
}
