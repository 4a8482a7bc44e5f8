import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { packagesFolder } from '../isolation/reach.ts'
import { installationName } from '../modules/packages-of.ts'
import type { Folders } from '../volume/contract.ts'
import { sizeOfPackages } from './size.ts'
import { readText } from './wanted.ts'
import type { Installation } from './wire.ts'

/** In an installation, what is known of it. */
const aboutFile = 'about.json'

type About = Pick<Installation, 'bytes' | 'installedAt'>

/**
 * The installations of a volume, each whole in `packages/<name>/` from the moment it has that name. `node_modules` of the
 * jobs repo is a link to one of them, or a folder where npm works in the repo itself.
 */
export interface Installations {
  has(name: string): boolean
  /** The one that the repo uses; null when its packages lie in the repo, or there are none. */
  current(): string | null
  list(): Installation[]
  /** An empty folder on the file system of the installations, for what is being made. */
  workFolder(name: string): string
  /** Gives a folder its name. If there is one of that name it stays, for it is the same. */
  add(folder: string, name: string, about: About): void
  /** Leads the repo to one of them, in one step where a link was before. */
  use(name: string): void
  /** Takes away the link of the repo, so that npm can make a folder there. */
  unlink(): void
  /** Makes an installation of the folder that the repo has. */
  adopt(name: string, installedAt: number): void
  remove(name: string): Promise<void>
  /** Removes what is not among these, and what an installation left that did not end. Nothing may be in the making. */
  prune(needed: ReadonlySet<string>): Promise<void>
}

export function openInstallations({ dir, jobsDir }: Pick<Folders, 'dir' | 'jobsDir'>): Installations {
  const folder = join(dir, packagesFolder)
  const link = join(jobsDir, 'node_modules')
  // It stays from now on: processes that are confined to it before anything is installed find what comes later.
  mkdirSync(folder, { recursive: true })

  const placeOf = (name: string) => join(folder, name)
  const isLink = () => lstatSync(link, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
  const current = (): string | null => {
    if (!isLink()) return null
    const name = basename(dirname(readlinkSync(link)))
    return readlinkSync(link) === targetOf(name) && installationName.test(name) ? name : null
  }
  const remove = async (name: string) => {
    // Out of the way at once: half of an installation must not have its name.
    const gone = join(folder, `.gone-${name}`)
    await rm(gone, { recursive: true, force: true })
    if (existsSync(placeOf(name))) renameSync(placeOf(name), gone)
    await rm(gone, { recursive: true, force: true })
  }
  const add: Installations['add'] = (made, name, about) => {
    if (existsSync(placeOf(name))) return
    describe(made, about)
    renameSync(made, placeOf(name))
  }
  const use = (name: string) => {
    const fresh = join(folder, '.link')
    rmSync(fresh, { recursive: true, force: true })
    symlinkSync(targetOf(name), fresh)
    // A folder, or what else has the name there, cannot be replaced in one step.
    if (!isLink() && lstatSync(link, { throwIfNoEntry: false })) {
      const before = join(folder, '.before')
      rmSync(before, { recursive: true, force: true })
      renameSync(link, before)
    }
    renameSync(fresh, link)
  }

  return {
    has: name => existsSync(placeOf(name)),
    current,
    list: () => {
      const now = current()
      return namesIn(folder).map(name => ({
        name,
        current: name === now,
        ...aboutOf(placeOf(name)),
      }))
    },
    workFolder: name => {
      const work = join(folder, `.${name}`)
      mkdirSync(work, { recursive: true })
      return work
    },
    add,
    use,
    unlink: () => {
      if (isLink()) rmSync(link)
    },
    adopt: (name, installedAt) => {
      const made = join(folder, '.adopted')
      rmSync(made, { recursive: true, force: true })
      mkdirSync(made)
      renameSync(link, join(made, 'node_modules'))
      add(made, name, { bytes: 0, installedAt })
      use(name)
      void sizeOfPackages(join(placeOf(name), 'node_modules')).then(({ bytes }) => {
        // It may be gone by now.
        if (existsSync(placeOf(name))) describe(placeOf(name), { bytes, installedAt })
      })
    },
    remove,
    prune: async needed => {
      const now = current()
      for (const name of readdirSync(folder)) {
        if (name.startsWith('.')) await rm(placeOf(name), { recursive: true, force: true })
        else if (!needed.has(name) && name !== now) await remove(name)
      }
    },
  }
}

/** Relative, so that a volume may be moved. */
const targetOf = (name: string) => join('..', packagesFolder, name, 'node_modules')

function describe(installation: string, about: About): void {
  writeFileSync(join(installation, aboutFile), JSON.stringify(about))
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter(name => installationName.test(name))
  } catch {
    return []
  }
}

function aboutOf(installation: string): About {
  try {
    const { bytes, installedAt } = JSON.parse(readText(join(installation, aboutFile)) ?? '') as Partial<About>
    return { bytes: Number(bytes) || 0, installedAt: Number(installedAt) || 0 }
  } catch {
    return { bytes: 0, installedAt: 0 }
  }
}
