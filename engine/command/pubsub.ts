/** Channels, patterns and who listens. */
export class PubSub {}
