package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"gopkg.in/yaml.v3"
)

// exampleJob is what these tests take from a CronJob of examples/kubernetes.
type exampleJob struct {
	Metadata struct{ Name string }
	Spec     struct {
		JobTemplate struct {
			Spec struct {
				Completions int
				Template    struct {
					Spec struct {
						Containers []struct{ Args []string }
					}
				}
			}
		} `yaml:"jobTemplate"`
	}
}

func exampleJobs(t *testing.T) map[string]exampleJob {
	t.Helper()
	data, err := os.ReadFile("../../examples/kubernetes/shards.yaml")
	if err != nil {
		t.Fatal(err)
	}
	jobs := map[string]exampleJob{}
	for d := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var j exampleJob
		err := d.Decode(&j)
		if errors.Is(err, io.EOF) {
			return jobs
		}
		if err != nil {
			t.Fatal(err)
		}
		jobs[j.Metadata.Name] = j
	}
}

// The Jobs of examples/kubernetes/shards.yaml, as Kubernetes runs them: a process for each index, with its variable and its
// arguments filled in, all against one Azure; and then the merge of the results.
func TestTheJobsOfTheKubernetesExampleRunAndAreMerged(t *testing.T) {
	o := newOrganisation(t, "")
	jobs := exampleJobs(t)
	for _, folder := range []string{"results", "work", "etc/azbackup"} {
		if err := os.MkdirAll(filepath.Join(o.dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	o.write("etc/azbackup/azbackup.yaml", string(o.read("all.yaml")))
	fill := func(args []string, index int) (filled []string) {
		for _, arg := range args {
			arg = strings.ReplaceAll(arg, "$(JOB_COMPLETION_INDEX)", fmt.Sprint(index))
			filled = append(filled, regexp.MustCompile(`(^|=)/(results|work|etc)/`).ReplaceAllString(arg, "${1}"+o.dir+"/$2/"))
		}
		return filled
	}
	for _, step := range []struct {
		name string
		code int // of the merge
		has  []string
	}{
		{"azbackup-apply", exitOK, []string{"apply.json", "apply.prom"}},
		{"azbackup-audit", exitChanges, []string{"audit.json", "audit.html", "audit.prom"}},
	} {
		job, merge := jobs[step.name].Spec.JobTemplate.Spec, jobs[step.name+"-merge"].Spec.JobTemplate.Spec
		if job.Completions < 2 || len(job.Template.Spec.Containers) != 1 || len(merge.Template.Spec.Containers) != 1 {
			t.Fatalf("%s: %+v, %+v", step.name, job, merge)
		}
		var pods sync.WaitGroup
		for i := range job.Completions {
			pods.Go(func() {
				args := append(fill(job.Template.Spec.Containers[0].Args, i), "--endpoint", o.url)
				for j, arg := range args { // each pod has a folder of its own
					args[j] = strings.Replace(arg, o.dir+"/work/", fmt.Sprintf("%s/work/%d-", o.dir, i), 1)
				}
				if code := o.run([]string{fmt.Sprintf("JOB_COMPLETION_INDEX=%d", i)}, args...); code == exitError {
					t.Errorf("%s %d: exit code %d", step.name, i, code)
				}
			})
		}
		pods.Wait()
		// The simulated Azure has a clock of its own, far from this machine's.
		args := regexp.MustCompile(`--max-age=\w+`).ReplaceAllString(strings.Join(fill(merge.Template.Spec.Containers[0].Args, 0), "\n"), "--max-age=36500d")
		if code := o.run(nil, strings.Split(args, "\n")...); code != step.code {
			t.Errorf("%s: exit code %d of the merge", step.name, code)
		}
		for _, file := range step.has {
			if len(o.read("results/"+file)) == 0 {
				t.Errorf("%s is empty", file)
			}
		}
	}
}
