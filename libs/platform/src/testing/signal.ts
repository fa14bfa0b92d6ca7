/** Something a test waits for instead of sleeping: code under test gives it, once, and whoever awaits `arrived` goes on. */
export class Signal<T = void> {
  #give: (value: T) => void = () => undefined;

  readonly arrived = new Promise<T>((resolve) => {
    this.#give = resolve;
  });

  give(value: T): void {
    this.#give(value);
  }
}
