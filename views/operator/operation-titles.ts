import type { OperationKind } from '../../plugins/provisioner/contract.ts'

/** What each kind of operation is called on pages. */
export const operationTitles: Record<OperationKind, string> = {
  provision: 'Provision',
  start: 'Start',
  stop: 'Stop',
  restart: 'Restart',
  upgrade: 'Upgrade',
  rollback: 'Roll back',
  restore: 'Restore',
  'restore-new': 'Restore into a new instance',
  'reset-password': 'Reset password',
  transfer: 'Change owner',
  deprovision: 'Remove',
  purge: 'Delete for good',
}
