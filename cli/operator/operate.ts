import { UsageError } from '../command/arguments.ts'
import type { Command } from '../command/call.ts'
import { confirmedByName } from '../command/confirmation.ts'
import { controlOf } from './control/control.ts'
import { instanceArgument } from './instance.ts'
import { operate } from './operation.ts'
import { done, waitOptions } from './waiting.ts'

const start = operate('start', 'startAdminInstance', {
  summary: 'starts an instance',
  details: 'A suspended instance cannot be started until its owner has paid.',
})

const stop = operate('stop', 'stopAdminInstance', {
  summary: 'stops an instance; its data is kept',
  details: 'Due times that pass meanwhile are handled as each job’s catchUp says, once it runs again.',
})

const restartOne = operate('restart', 'restartAdminInstance', {
  summary: 'restarts an instance, or all that run with older settings',
  details: 'A restart applies changed settings. It never changes the image: that is an upgrade.',
})

const restart: Command = {
  ...restartOne,
  takes: [{ ...instanceArgument, optional: true }],
  options: { outdated: { words: 'all that run with older settings, a few at a time' }, ...waitOptions },
  run: async call => {
    const { args, output } = call
    const all = args.flag('outdated')
    if (all === (args.id !== '')) throw new UsageError('restart needs the name of an instance, or --outdated')
    if (!all) return restartOne.run(call)
    if (args.flag('wait'))
      throw new UsageError('--wait is for one instance; longhouse instances --outdated shows what is left')
    const answer = await controlOf(call).ask<{ instances: { subdomain: string }[] }>(
      'postAdminInstancesRestartOutdated',
    )
    if (args.flag('json')) output.json(answer)
    else for (const { subdomain } of answer.instances) output.say(`${subdomain}: restart in progress`)
    if (answer.instances.length === 0) output.note('No instance runs with older settings.')
    return done
  },
}

const upgrade = operate('upgrade', 'upgradeAdminInstance', {
  summary: 'upgrades an instance to the configured image, or to another one',
  details:
    'A backup is made first. If the new image does not become healthy, image and data are put back, and the operation fails and says so.',
  options: { image: { value: '<image>', words: 'another image than the configured one' } },
  body: ({ args }) => (args.text('image') === undefined ? {} : { image: args.text('image') }),
})

const rollback = operate('rollback', 'rollbackAdminInstance', {
  summary: 'takes an instance back to before its last upgrade: image and data',
  details: 'What was written since the upgrade is in the backup that is made first.',
})

const remove = operate('delete', 'deleteAdminInstance', {
  summary: 'removes an instance; its volume is kept for its owner',
  details: 'longhouse restore <instance> undoes it. longhouse purge deletes the data.',
})

const purge = operate('purge', 'deleteAdminInstance', {
  summary: 'removes an instance and deletes its data for good',
  details:
    'Asks for the name of the instance first, unless --yes is given. A backup is made before, and kept for as long as BACKUP_KEEP_PURGED says.',
  options: {
    yes: { short: 'y', words: 'does not ask for the name' },
    anyway: { words: 'deletes even a folder that is not marked as this instance’s volume' },
  },
  confirm: async call => {
    if (!call.args.flag('yes')) await confirmedByName(call, call.args.id)
  },
  query: ({ args }) => ({ purge: true, ...(args.flag('anyway') && { anyway: true }) }),
})

const resetPassword = operate('reset-password', 'resetPasswordAdminInstance', {
  summary: 'gives an instance a new password, which is shown once',
  details: 'Ends every session. A running instance restarts.',
})

const transfer = operate('transfer', 'transferAdminInstance', {
  takes: [
    instanceArgument,
    { name: 'email', words: 'the email address of the new owner', example: 'bob@example.com' },
  ],
  summary: 'hands an instance over to another owner, with its data and a new password',
  details: 'Sessions and API tokens of the previous owner end. A backup is made first.',
  body: ({ args }) => ({ owner_email: args.word(1) }),
})

const create = operate('create', 'createAdminInstance', {
  summary: 'creates an instance, and shows its password, once',
  details: 'Its address is <instance>.<domain>. With --wait, the exit code says whether it runs.',
  options: {
    owner: { value: '<email>', words: 'the email address of its owner' },
    image: { value: '<image>', words: 'another image than the configured one' },
    adopt: { words: 'takes over the volume that is in its place' },
  },
  body: ({ args }) => {
    const owner = args.text('owner')
    if (owner === undefined)
      throw new UsageError('create needs --owner <email>, the email address of its owner')
    return {
      subdomain: args.id,
      owner_email: owner,
      ...(args.text('image') !== undefined && { image: args.text('image') }),
      ...(args.flag('adopt') && { adopt: true }),
    }
  },
})

/** The commands that each start one operation. */
export const operating: readonly Command[] = [
  create,
  start,
  stop,
  restart,
  upgrade,
  rollback,
  resetPassword,
  transfer,
  remove,
  purge,
]
