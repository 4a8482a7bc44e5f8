import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { programRoot } from '../../src/root.ts'
import { sdkOf, withSdk } from './sdk-address.ts'

/**
 * The starter files of a new instance, by their paths in the repo. `sdk` is the address of the npm package `longhouse`
 * that `package.json` names, if any.
 */
export function starterFiles(
  sdk: string | null = null,
  template = programRoot('jobs-template'),
): Map<string, Buffer> {
  const files = readdirSync(template, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name))
    .filter(file => !file.split('/').includes('node_modules'))
  return new Map(files.map(file => [relative(template, file), starterFile(file, template, sdk)]))
}

function starterFile(file: string, template: string, sdk: string | null): Buffer {
  const content = readFileSync(file)
  return file === join(template, 'package.json') ? Buffer.from(withSdk(content.toString(), sdk)) : content
}

/** As they were written to a repo whose `package.json` this is, by whatever version and at whatever address. */
export function starterFilesAs(packageJson: Buffer | null, template?: string): Map<string, Buffer> {
  return starterFiles(packageJson && sdkOf(packageJson.toString()), template)
}
