/** A model that stays open until it is released. */
export interface HeldModel<Model> {
  readonly model: Model;
  /** Step of its weights. */
  readonly step: number;
  release(): void;
}

/** Weights of one step, and who uses the model that they make. */
interface Version<Model> {
  readonly directory: string;
  readonly step: number;
  opening: Promise<Model> | undefined;
  holders: number;
  replaced: boolean;
}

/** The model of the newest weights, opened when it is first asked for. Who holds an older one ends on that. */
export class HeldModels<Model extends { close(): Promise<void> }> {
  readonly #open: (directory: string) => Promise<Model>;
  readonly #closing = new Set<Promise<void>>();
  #newest: Version<Model>;

  constructor(open: (directory: string) => Promise<Model>, directory: string, step: number) {
    this.#open = open;
    this.#newest = versionOf<Model>(directory, step);
  }

  /** @throws FuseMeshError what the model cannot be opened with */
  async hold(): Promise<HeldModel<Model>> {
    const version = this.#newest;
    version.holders++;
    const release = () => {
      version.holders--;
      if (version.replaced) this.#closeUnheld(version);
    };
    version.opening ??= this.#open(version.directory).catch((error: unknown) => {
      version.opening = undefined;
      throw error;
    });
    try {
      return { model: await version.opening, step: version.step, release };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Takes other weights from now on. Resolves when nobody reads files of those before. */
  async replace(directory: string, step: number): Promise<void> {
    const version = this.#newest;
    this.#newest = versionOf<Model>(directory, step);
    version.replaced = true;
    await version.opening?.catch(() => undefined);
    this.#closeUnheld(version);
  }

  async close(): Promise<void> {
    const version = this.#newest;
    version.replaced = true;
    await (await version.opening?.catch(() => undefined))?.close();
    await Promise.all(this.#closing);
  }

  #closeUnheld(version: Version<Model>): void {
    if (version.holders > 0 || version.opening === undefined) return;
    const closing = version.opening
      .then((model) => model.close())
      .finally(() => this.#closing.delete(closing));
    version.opening = undefined;
    this.#closing.add(closing);
  }
}

const versionOf = <Model>(directory: string, step: number): Version<Model> => ({
  directory,
  step,
  opening: undefined,
  holders: 0,
  replaced: false,
});
