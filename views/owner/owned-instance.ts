import type { OwnedInstance, OwnedOperation } from '../../plugins/provisioner/contract.ts'

/** An instance as its owner sees it. */
export type OwnedInstanceView = Omit<OwnedInstance, 'id'>

export type OwnedWork = OwnedOperation

export const isBusy = ({ operation }: Pick<OwnedInstance, 'operation'>): boolean =>
  operation?.status === 'pending' || operation?.status === 'running'
