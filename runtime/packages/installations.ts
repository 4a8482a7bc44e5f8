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
import { join, relative } from 'node:path'
import { packagesFolder } from '../isolation/reach.ts'
import { installationName } from '../modules/packages-of.ts'
import type { Folders } from '../volume/contract.ts'
import { isFolderOf } from './files/own-folders.ts'
import { readText } from './files/package-files.ts'
import { sizeOfPackages } from './size.ts'
import type { Installation } from './wire.ts'

/** In an installation, what is known of it. */
const aboutFile = 'about.json'

interface About extends Pick<Installation, 'bytes' | 'installedAt'> {
  /** Folders of the repo's own packages that have packages of their own in this installation. */
  nested: readonly string[]
}

/**
 * The installations of a volume, each whole in `packages/<name>/` from the moment it has that name. `node_modules` of the
 * jobs repo is a link to one of them, or a folder where npm works in the repo itself.
 */
export interface Installations {
  has(name: string): boolean
  /** The folder of the installation with this name, whether there is one or not. */
  placeOf(name: string): string
  /** The one that the repo uses; null when its packages lie in the repo, or there are none. */
  current(): string | null
  list(): Installation[]
  /** An empty folder on the file system of the installations, for what is being made. */
  workFolder(name: string): string
  /**
   * Gives a folder its name. If there is one of that name it stays, for it is the same; only the current one is replaced,
   * because something was missing in it.
   */
  add(folder: string, name: string, about: About): void
  /** Leads the repo to one of them, in one step where a link was before, and the folders of its own packages first. */
  use(name: string): void
  /** Leads the repo back to what it had before, and removes the installation that it has now. */
  takeBack(name: string, before: string | null): Promise<void>
  /** Makes an installation of the folder that the repo has. */
  adopt(name: string, installedAt: number): void
  /** Removes what is not among these, and what an installation left that did not end. Nothing may be in the making. */
  prune(needed: ReadonlySet<string>): Promise<void>
}

export function openInstallations({ dir, jobsDir }: Pick<Folders, 'dir' | 'jobsDir'>): Installations {
  const folder = join(dir, packagesFolder)
  // It stays from now on: processes that are confined to it before anything is installed find what comes later.
  mkdirSync(folder, { recursive: true })

  const placeOf = (name: string) => join(folder, name)
  /** `node_modules` of a folder of the repo. */
  const linkOf = (own: string) => join(jobsDir, own, 'node_modules')
  const link = linkOf('')
  /** Relative, so that a volume may be moved. */
  const targetOf = (own: string, name: string) =>
    relative(join(jobsDir, own), join(placeOf(name), own, 'node_modules'))
  const isLink = (path: string) => lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
  const ledTo = (own: string): string | null => {
    if (!isLink(linkOf(own))) return null
    const target = readlinkSync(linkOf(own))
    const name = relative(folder, join(jobsDir, own, target)).split('/')[0] ?? ''
    return installationName.test(name) && target === targetOf(own, name) ? name : null
  }
  const current = () => ledTo('')
  const remove = async (name: string) => {
    // Out of the way at once: half of an installation must not have its name.
    const gone = join(folder, `.gone-${name}`)
    await rm(gone, { recursive: true, force: true })
    if (existsSync(placeOf(name))) renameSync(placeOf(name), gone)
    await rm(gone, { recursive: true, force: true })
  }
  const add: Installations['add'] = (made, name, about) => {
    if (existsSync(placeOf(name))) {
      if (current() !== name) return
      const gone = join(folder, `.gone-${name}`)
      rmSync(gone, { recursive: true, force: true })
      renameSync(placeOf(name), gone)
    }
    describe(made, about)
    renameSync(made, placeOf(name))
  }
  const lead = (own: string, name: string) => {
    const fresh = join(folder, '.link')
    rmSync(fresh, { recursive: true, force: true })
    symlinkSync(targetOf(own, name), fresh)
    // A folder, or what else has the name there, cannot be replaced in one step.
    if (!isLink(linkOf(own)) && lstatSync(linkOf(own), { throwIfNoEntry: false })) {
      const before = join(folder, '.before')
      rmSync(before, { recursive: true, force: true })
      renameSync(linkOf(own), before)
    }
    renameSync(fresh, linkOf(own))
  }
  const nestedOf = (name: string) =>
    aboutOf(placeOf(name)).nested.filter(own => isFolderOf(jobsDir, join(jobsDir, own)))
  const dropLinks = (but: readonly string[]) => {
    for (const own of new Set(namesIn(folder).flatMap(nestedOf)))
      if (!but.includes(own) && ledTo(own) !== null) rmSync(linkOf(own))
  }
  const use = (name: string) => {
    const nested = nestedOf(name)
    dropLinks(nested)
    for (const own of nested) lead(own, name)
    lead('', name)
  }

  return {
    has: name => existsSync(placeOf(name)),
    placeOf,
    current,
    list: () => {
      const now = current()
      return namesIn(folder).map(name => {
        const { bytes, installedAt } = aboutOf(placeOf(name))
        return { name, current: name === now, bytes, installedAt }
      })
    },
    workFolder: name => {
      const work = join(folder, `.${name}`)
      mkdirSync(work, { recursive: true })
      return work
    },
    add,
    use,
    takeBack: async (name, before) => {
      if (before !== null && before !== name && existsSync(placeOf(before))) use(before)
      else if (current() === name) {
        dropLinks([])
        rmSync(link)
      }
      await remove(name)
    },
    adopt: (name, installedAt) => {
      const made = join(folder, '.adopted')
      rmSync(made, { recursive: true, force: true })
      mkdirSync(made)
      renameSync(link, join(made, 'node_modules'))
      add(made, name, { bytes: 0, installedAt, nested: [] })
      use(name)
      void sizeOfPackages(join(placeOf(name), 'node_modules')).then(({ bytes }) => {
        // It may be gone by now.
        if (existsSync(placeOf(name))) describe(placeOf(name), { bytes, installedAt, nested: [] })
      })
    },
    prune: async needed => {
      const now = current()
      for (const name of readdirSync(folder)) {
        if (name.startsWith('.')) await rm(placeOf(name), { recursive: true, force: true })
        else if (!needed.has(name) && name !== now) await remove(name)
      }
    },
  }
}

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
    const about = JSON.parse(readText(join(installation, aboutFile)) ?? '') as Partial<About>
    const { bytes, installedAt, nested } = about
    return { bytes: Number(bytes) || 0, installedAt: Number(installedAt) || 0, nested: nested ?? [] }
  } catch {
    return { bytes: 0, installedAt: 0, nested: [] }
  }
}
