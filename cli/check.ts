import { installSdk } from '../runtime/manifest/offered-sdk.ts'
import { type Call, type Command, commonOptions } from './command/call.ts'
import { BrokenManifest, errorLine, withManifest } from './local-manifest.ts'
import { checkTypes } from './types.ts'
import { warningsOf } from './warnings.ts'

export const check: Command = {
  name: 'check',
  takes: [],
  needsRepo: true,
  summary: 'checks the jobs as an instance would',
  details:
    'Prints errors as file:line:column message, and exits with 1 if there are any. Problems that do not keep the jobs from loading ' +
    'are warnings. Also puts `longhouse/jobs` into node_modules, as an instance does, so that editors find it.',
  options: {
    types: { words: 'also type-checks with the TypeScript that is installed in the jobs repo' },
    json: { words: 'prints JSON' },
    ...commonOptions,
  },
  run: async call => {
    const { args, output, dir, workingDir } = call
    const sdkWarnings = putSdk(dir)
    const found = await findings(call)
    found.warnings.push(...sdkWarnings)
    if (args.flag('json')) {
      output.json({ jobs: found.jobs, errors: found.errors, warnings: found.warnings })
      return found.errors.length > 0 ? 1 : 0
    }
    for (const error of found.errors) output.say(errorLine(error, dir, workingDir))
    for (const warning of found.warnings) output.say(`${output.look('yellow', 'warning')} ${warning}`)
    const jobs = `${found.jobs} ${found.jobs === 1 ? 'job' : 'jobs'}`
    if (found.errors.length === 0) {
      output.say(
        `${output.look('green', '✓')} ${jobs}, ${found.warnings.length > 0 ? 'no errors' : 'no problems found'}`,
      )
      return 0
    }
    const { length } = found.errors
    output.note(`${output.noteLook('red', '✗')} ${length} ${length === 1 ? 'error' : 'errors'}`)
    return 1
  },
}

/** A folder that is not writable is checked all the same. */
function putSdk(dir: string): string[] {
  try {
    installSdk(dir)
    return []
  } catch (error) {
    return [`longhouse/jobs could not be put into node_modules: ${(error as Error).message}`]
  }
}

async function findings(call: Call) {
  const { args, dir } = call
  try {
    const read = await withManifest(call, async ({ jobs, warnings }) => ({
      jobs: [...jobs.values()],
      warnings,
    }))
    const { jobs } = read
    const warnings = [
      ...read.warnings.map(each => errorLine(each, dir, call.workingDir)),
      ...(await warningsOf(jobs, dir)),
    ]
    if (!args.flag('types')) return { jobs: jobs.length, errors: [], warnings }
    const types = await checkTypes(dir, call.signal)
    return { jobs: jobs.length, errors: types.errors, warnings: [...warnings, ...types.warnings] }
  } catch (error) {
    if (!(error instanceof BrokenManifest)) throw error
    return { jobs: 0, errors: error.errors, warnings: await warningsOf(null, dir) }
  }
}
