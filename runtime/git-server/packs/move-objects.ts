import {
  copyFileSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

/** Moves objects and packs into another repository. Packs before their indexes: a pack is read once it has one. */
export function moveObjects(from: string, to: string): void {
  const files = readdirSync(from, { recursive: true, encoding: 'utf8' })
    .filter(name => /^([0-9a-f]{2}\/[0-9a-f]{38}|pack\/pack-[0-9a-f]{40}\.(pack|rev|idx))$/.test(name))
    .sort((a, b) => Number(a.endsWith('.idx')) - Number(b.endsWith('.idx')))
  for (const name of files) {
    const [source, place] = [join(from, name), join(to, name)]
    if (existsSync(place) || !lstatSync(source).isFile()) continue
    mkdirSync(dirname(place), { recursive: true })
    link(source, place)
  }
}

function link(source: string, place: string): void {
  try {
    linkSync(source, place)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return
    // A file system without hard links.
    const draft = `${place}.tmp`
    copyFileSync(source, draft)
    renameSync(draft, place)
    rmSync(draft, { force: true })
  }
}
