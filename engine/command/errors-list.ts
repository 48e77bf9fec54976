/** The errors of lists and of blocking commands: a part of the catalogue in errors.ts. */
export const listErrors = {
  indexOutOfRange: {
    text: 'ERR index out of range',
    meaning: 'LSET beyond the ends of the list.',
  },
  listExhausted: {
    text: 'ERR no room between these elements of the list: write it anew (RENAME does that)',
    meaning:
      'LINSERT at one place has been halved more than a hundred times; RENAME gives all elements new places.',
  },
  rankZero: {
    text:
      "ERR RANK can't be zero: use 1 to start from the first match, 2 from the second ... or use " +
      'negative to start from the end of the list',
    meaning: 'RANK of LPOS counts matches from 1.',
  },
  rankRange: {
    text:
      'ERR value is out of range, value must between -9223372036854775807 and ' +
      '9223372036854775807',
    meaning: 'RANK of LPOS has no positive counterpart.',
  },
  countNegative: {
    text: "ERR COUNT can't be negative",
    meaning: 'COUNT of LPOS is 0 (all) or positive.',
  },
  lposMaxlenNegative: {
    text: "ERR MAXLEN can't be negative",
    meaning: 'MAXLEN of LPOS is 0 (the whole list) or positive.',
  },
  countPositive: {
    text: 'ERR count should be greater than 0',
    meaning: 'COUNT of LMPOP and BLMPOP.',
  },
  timeoutNotFloat: {
    text: 'ERR timeout is not a float or out of range',
    meaning: 'The timeout of a blocking command is a number of seconds.',
  },
  timeoutRange: {
    text: 'ERR timeout is out of range',
    meaning: 'The timeout of a blocking command must fit into 64 bits as milliseconds.',
  },
  unblockedByRole: {
    text: 'UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)',
    meaning: 'The member has become a replica while this client was blocked; ask the new primary.',
  },
} as const;
