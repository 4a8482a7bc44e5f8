import { DateTime } from 'luxon'

export const yesterday = () => DateTime.now().setZone('Europe/Berlin').minus({ days: 1 }).startOf('day')

export const monthBefore = () => DateTime.now().setZone('Europe/Berlin').minus({ months: 1 }).startOf('month')
