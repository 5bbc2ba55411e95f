/** What an admission comes to. The same request again is answered as the first time, as not `fresh`. */
export interface Admission<T> {
  /** True: 201, stored by this request. False: 200, known before. */
  readonly fresh: boolean;
  readonly answer: T;
}
