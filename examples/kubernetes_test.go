package examples

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
)

// manifests returns the objects of a file. Each is decoded strictly: a kind, a key or a type that the API does not have
// fails the test.
func manifests(t *testing.T, path string) []runtime.Object {
	t.Helper()
	objects, err := decodeManifests(readFile(t, path))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return objects
}

func decodeManifests(data []byte) ([]runtime.Object, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(batchv1.AddToScheme(scheme), corev1.AddToScheme(scheme)); err != nil {
		return nil, err
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	var objects []runtime.Object
	for documents := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var document yaml.Node
		err := documents.Decode(&document)
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		var text []byte
		if err == nil {
			text, err = yaml.Marshal(&document)
		}
		if err != nil {
			return nil, err
		}
		object, _, err := decoder.Decode(text, nil, nil)
		if err != nil {
			return nil, err
		}
		objects = append(objects, object)
	}
}

func TestManifestsAreWhatTheKubernetesAPITakes(t *testing.T) {
	files, err := filepath.Glob("kubernetes/*.yaml")
	if err != nil || len(files) < 2 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		accounts, configs, claims := map[string]bool{}, map[string]bool{}, map[string]bool{}
		var crons []*batchv1.CronJob
		for _, o := range manifests(t, file) {
			switch o := o.(type) {
			case *corev1.ServiceAccount:
				accounts[o.Name] = o.Annotations["azure.workload.identity/client-id"] != ""
			case *corev1.ConfigMap:
				configs[o.Name] = o.Data["azbackup.yaml"] != ""
			case *corev1.PersistentVolumeClaim:
				claims[o.Name] = true
			case *batchv1.CronJob:
				crons = append(crons, o)
			}
		}
		if len(crons) == 0 {
			t.Errorf("%s has no CronJob", file)
		}
		for _, c := range crons {
			job := c.Spec.JobTemplate.Spec
			pod := job.Template.Spec
			if pod.RestartPolicy != corev1.RestartPolicyNever || job.ActiveDeadlineSeconds == nil {
				t.Errorf("%s: %s may run for ever, or again", file, c.Name)
			}
			signsIn := job.Template.Labels["azure.workload.identity/use"] == "true"
			if signsIn != accounts[pod.ServiceAccountName] {
				t.Errorf("%s: %s and its account %q do not agree on workload identity", file, c.Name, pod.ServiceAccountName)
			}
			volumes := map[string]bool{}
			for _, v := range pod.Volumes {
				volumes[v.Name] = v.EmptyDir != nil || v.ConfigMap != nil && configs[v.ConfigMap.Name] || v.PersistentVolumeClaim != nil && claims[v.PersistentVolumeClaim.ClaimName]
			}
			for _, container := range pod.Containers {
				for _, m := range container.VolumeMounts {
					if !volumes[m.Name] {
						t.Errorf("%s: %s mounts %q, which the file does not have", file, c.Name, m.Name)
					}
				}
				request, limit := container.Resources.Requests.Memory(), container.Resources.Limits.Memory()
				if request.IsZero() || limit.Cmp(*request) < 0 {
					t.Errorf("%s: %s asks for %s of memory and may use %s", file, c.Name, request, limit)
				}
			}
			if mode := job.CompletionMode; mode == nil || *mode != batchv1.IndexedCompletion {
				continue
			}
			// One index that fails must not end the others, and none is repeated.
			if job.Completions == nil || job.BackoffLimitPerIndex == nil || *job.BackoffLimitPerIndex != 0 || job.MaxFailedIndexes == nil || *job.MaxFailedIndexes != *job.Completions {
				t.Errorf("%s: %s ends all shards where one fails", file, c.Name)
			}
		}
	}
}

func TestManifestsWithAnUnknownKeyFail(t *testing.T) {
	text := string(readFile(t, "kubernetes/shards.yaml"))
	for _, change := range [][2]string{
		{"completionMode: Indexed", "completionmode: Indexed"},
		{"completions: 4", "completions: many"},
		{"kind: CronJob", "kind: CroneJob"},
		{"backoffLimitPerIndex", "backoffLimitForIndex"},
		{"claimName:", "claim:"},
	} {
		if !strings.Contains(text, change[0]) {
			t.Fatalf("no %q", change[0])
		}
		if _, err := decodeManifests([]byte(strings.Replace(text, change[0], change[1], 1))); err == nil {
			t.Errorf("%q is taken", change[1])
		}
	}
}
