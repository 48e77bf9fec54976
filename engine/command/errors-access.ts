/** The errors of who comes in, what they may do, and what they want to be told; see errors.ts. */
import type { ErrorEntry } from './errors.ts';

export const accessErrors = {
  slowlogCount: {
    text: 'ERR count should be greater than or equal to -1',
    meaning: 'SLOWLOG GET takes a number of entries, or -1 for all.',
  },
  noLatencySamples: {
    text: "ERR No samples available for event '%s'",
    meaning: 'LATENCY GRAPH of an event that did not occur; LATENCY LATEST lists events.',
  },
  monitorInMulti: {
    text: "ERR MONITOR isn't allowed for DENY BLOCKING client",
    meaning: 'MONITOR inside MULTI.',
  },
  noPermCommand: {
    text: "NOPERM this user has no permissions to run the '%s' command",
    meaning: 'The rights of the user (ACL SETUSER, ACL file) do not include the command.',
  },
  noPermKey: {
    text: 'NOPERM this user has no permissions to access one of the keys used as arguments',
    meaning: 'No pattern of the user allows a key of the command for reading or writing.',
  },
  noPermChannel: {
    text: 'NOPERM this user has no permissions to access one of the channels used as arguments',
    meaning: 'No pattern of the user allows the channel; a pattern must be allowed literally.',
  },
  noPermAtExec: {
    text:
      'NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC ' +
      'call. This command is no longer allowed for the following reason: %s',
    meaning: 'The rights of the user were taken back between queueing and EXEC.',
  },
  noPermScript: {
    text:
      'NOPERM users without all rights run no scripts through a proxy, because the member that runs ' +
      'them does not know the user; connect to the member, or give the user +@all ~* &*',
    meaning: 'EVAL, EVALSHA, FCALL and their `_RO` forms sent to a proxy by a restricted user.',
  },
  noPermCommandInScript: {
    text: "ERR The user executing the script can't run this command or subcommand",
    meaning: 'A script called a command which its caller may not run.',
  },
  noPermKeyInScript: {
    text:
      "ERR The user executing the script can't access at least one of the keys mentioned in the " +
      'command arguments',
    meaning: 'A script touched a key which its caller may not touch.',
  },
  noPermChannelInScript: {
    text: "ERR The user executing the script can't publish to the channel mentioned in the command",
    meaning: 'A script published to a channel which its caller may not use.',
  },
  subcommandArity: {
    text: "ERR unknown subcommand or wrong number of arguments for '%s'. Try %s HELP.",
    meaning: 'Too many arguments for a subcommand; HELP lists them.',
  },
  unknownCategory: {
    text: "ERR Unknown category '%s'",
    meaning: 'ACL CAT of a category that does not exist; ACL CAT alone lists them.',
  },
  defaultUserStays: {
    text: "ERR The 'default' user cannot be removed",
    meaning: 'ACL DELUSER default: turn it off by ACL SETUSER default off instead.',
  },
  aclUserNotFound: {
    text: "ERR User '%s' not found",
    meaning: 'ACL DRYRUN for a user that does not exist.',
  },
  aclCommandNotFound: {
    text: "ERR Command '%s' not found",
    meaning: 'ACL DRYRUN of a command that does not exist.',
  },
  genPassBits: {
    text:
      'ERR ACL GENPASS argument must be the number of bits for the output password, a positive ' +
      'number up to %s',
    meaning: 'ACL GENPASS takes 1 to 4096 bits.',
  },
  userNameBlank: {
    text: "ERR Usernames can't contain spaces or null characters",
    meaning: 'ACL SETUSER with such a name.',
  },
  selectorUnmatched: {
    text: "ERR Unmatched parenthesis in acl selector starting at '%s'.",
    meaning: 'A selector of ACL SETUSER begins with `(` and never ends.',
  },
  aclRule: {
    text: "ERR Error in ACL SETUSER modifier '%s': %s",
    meaning: 'A rule of ACL SETUSER is wrong, as said; nothing was changed.',
  },
  noAclFile: {
    text:
      'ERR This Redis instance is not configured to use an ACL file. You may want to specify users ' +
      'via the ACL SETUSER command and then issue a CONFIG REWRITE (assuming you have a Redis ' +
      'configuration file set) in order to store users in the Redis configuration.',
    meaning: 'ACL LOAD or SAVE without `--aclfile`; give the flag, or `--user`, to keep users.',
  },
  aclFileWrong: {
    text: 'ERR %s',
    meaning: 'ACL LOAD: the file cannot be read, or lines of it are wrong; the old users hold.',
  },
  aclNotSaved: {
    text:
      'ERR There was an error trying to save the ACLs. Please check the server logs for more ' +
      'information: %s',
    meaning: 'ACL SAVE could not write the file; the old file is as it was.',
  },
  sortByDenied: {
    text: 'ERR %s option of SORT denied due to insufficient ACL permissions.',
    meaning:
      'BY and GET of SORT read keys by a pattern: the user needs the right to read all keys.',
  },
  noAuth: {
    text: 'NOAUTH Authentication required.',
    meaning: 'The database has a password: AUTH or HELLO … AUTH first.',
  },
  helloNoAuth: {
    text:
      'NOAUTH HELLO must be called with the client already authenticated, otherwise the ' +
      'HELLO <proto> AUTH <user> <pass> option can be used to authenticate the client and ' +
      'select the RESP protocol version at the same time',
    meaning: 'HELLO without AUTH on a connection that is not authenticated.',
  },
  wrongPassword: {
    text: 'WRONGPASS invalid username-password pair or user is disabled.',
    meaning: 'No such user, the user is off, or the password is not one of theirs.',
  },
  noPasswordSet: {
    text:
      'ERR AUTH <password> called without any password configured for the default user. ' +
      'Are you sure your configuration is correct?',
    meaning: 'The database has no password, so AUTH has nothing to check.',
  },
  noTracking: {
    text:
      'ERR client tracking is not available through a proxy, which does not see changes; connect ' +
      'to a member, or keep copies for a short time only',
    meaning: 'CLIENT TRACKING ON sent to a proxy.',
  },
  notCaching: {
    text:
      'ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN ' +
      'or OPTOUT mode enabled',
    meaning: 'CLIENT TRACKING ON OPTIN or OPTOUT comes first.',
  },
  cachingYes: {
    text: 'ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.',
    meaning: 'The client tracks in OPTOUT mode.',
  },
  cachingNo: {
    text: 'ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.',
    meaning: 'The client tracks in OPTIN mode.',
  },
  trackingRedirect: {
    text: 'ERR The client ID you want redirect to does not exist',
    meaning: 'CLIENT TRACKING ON REDIRECT: CLIENT ID on the other connection says its id.',
  },
  trackingRedirectTwice: {
    text: 'ERR A client can only redirect to a single other client',
    meaning: 'CLIENT TRACKING ON with REDIRECT twice.',
  },
  trackingPrefix: {
    text: 'ERR PREFIX option requires BCAST mode to be enabled',
    meaning: 'CLIENT TRACKING ON PREFIX without BCAST.',
  },
  trackingBroadcast: {
    text:
      "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then " +
      're-enabling it with a different mode.',
    meaning: 'CLIENT TRACKING OFF comes first.',
  },
  trackingOptBroadcast: {
    text: 'ERR OPTIN and OPTOUT are not compatible with BCAST',
    meaning: 'In BCAST mode nothing is remembered, so there is nothing to choose.',
  },
  trackingOptBoth: {
    text: "ERR You can't specify both OPTIN mode and OPTOUT mode",
    meaning: 'Choose one of them.',
  },
  trackingOptSwitch: {
    text:
      "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then " +
      're-enabling it with a different mode.',
    meaning: 'CLIENT TRACKING OFF comes first.',
  },
  trackingOverlap: {
    text: "ERR Prefix '%s' overlaps with %s prefix '%s'. Prefixes for a single client must not overlap.",
    meaning: 'One prefix of a client begins with another one: leave out the longer.',
  },
} as const satisfies Record<string, ErrorEntry>;
