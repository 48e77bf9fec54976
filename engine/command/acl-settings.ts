/** The settings that concern users and passwords. */
import type { Acl } from '../acl/acl.ts';
import type { Setting } from './config-store.ts';

/** What CONFIG GET and SET know of `acl`. */
export function aclSettings(acl: Acl): Setting[] {
  return [
    {
      name: 'requirepass',
      get: () => acl.requirepass,
      set: (value) => {
        acl.setRequirepass(value);
        return null;
      },
    },
    { name: 'aclfile', get: () => acl.file?.path ?? '' },
    {
      name: 'acllog-max-len',
      get: () => String(acl.log.maxLength),
      set: (value) => {
        if (!/^\d{1,15}$/.test(value)) return "argument couldn't be parsed into an integer";
        acl.log.maxLength = Number(value);
        return null;
      },
    },
    {
      name: 'acl-pubsub-default',
      get: () => (acl.commands.allChannelsByDefault ? 'allchannels' : 'resetchannels'),
      set: (value) => {
        if (!/^(allchannels|resetchannels)$/i.test(value)) {
          return 'argument(s) must be one of the following: allchannels, resetchannels';
        }
        acl.commands.allChannelsByDefault = value.toLowerCase() === 'allchannels';
        return null;
      },
    },
  ];
}
