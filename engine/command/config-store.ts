/** Settings that CONFIG GET and SET know. */
export class ConfigStore {}
